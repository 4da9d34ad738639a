"""Stacks of the profiler become microseconds per line, by layer."""

from __future__ import annotations

from bench.bridge.profile import by_layer, table

_JOB = "[Source: read 127.0.0.1:9999 -> parse (1/1)#0 tid=80];java/lang/Thread.run;winevent/LogReader.run"
STACKS = (
    f"{_JOB};sun/nio/ch/SocketChannelImpl.read 3",
    f"{_JOB};winevent/SortLines.flatMap;com/fasterxml/jackson/core/JsonParser.nextToken 5",
    f"{_JOB};winevent/SortLines.flatMap;org/apache/kafka/clients/producer/KafkaProducer.send 7",
    f"{_JOB};org/apache/kafka/clients/producer/KafkaProducer.send;org/apache/kafka/common/record/A.put 11",
    f"{_JOB};org/apache/kafka/common/record/A.put;net/jpountz/lz4/LZ4JNI.compress 13",
    "[kafka-producer-network-thread | producer-1 tid=91];java/lang/Thread.run;sun/nio/ch/Net.poll 17",
    "[GC Thread#0 tid=12];G1Task::work 19",
    "[C2 CompilerThread0 tid=13];Compile::Compile 23",
    "[flink-pekko.actor.default-dispatcher-4 tid=14];java/lang/Thread.run 29",
    "[Source: read 127.0.0.1:9999 (1/1)#0 tid=80];java/lang/Thread.run 31",
)


def test_each_sample_counts_for_the_innermost_layer_and_only_the_job_counts() -> None:
    assert sorted(by_layer(STACKS).values()) == [3, 5, 7, 11, 13, 17, 19, 31]
    assert by_layer(STACKS)["read the socket, cut lines"] == 3
    assert by_layer(STACKS)["Kafka's client: compress (lz4)"] == 13
    assert by_layer(STACKS)["the rest"] == 31


def test_a_row_is_a_layer_and_a_cell_microseconds_a_line() -> None:
    text = table({"auto": [by_layer(STACKS)], "raw": [by_layer(STACKS[:1])]}, lines=1_000)
    rows = text.splitlines()
    assert rows[0] == "|  | auto | raw |"
    assert "| read the socket, cut lines | 30.00 | 30.00 |" in rows
    assert "| collect garbage | 190.00 | – |" in rows
    assert rows[-1] == "| sum | 1060.00 | 30.00 |"


def test_a_cell_of_several_runs_has_their_median_and_range() -> None:
    runs = [by_layer(STACKS[:1] * count) for count in (2, 1, 3)]
    assert table({"auto": runs}, lines=100_000).splitlines()[-1] == "| sum | 0.6 (0.30–0.90) |"
