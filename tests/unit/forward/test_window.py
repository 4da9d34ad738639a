"""When a record may be sent: keys keep order, retries are single, positions stay before open records."""

from __future__ import annotations

import random

from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from forward.records import MAX_RECORD_BYTES, MAX_REQUEST_BYTES, Record, partition_key, refusal
from forward.window import Window


def one_second(_: int) -> float:
    return 1.0


def records(window: Window, now: float) -> list[tuple[str, int]]:
    return [(held.record.key, held.record.offset) for held in window.batch(now)]


def test_of_one_key_one_record_is_on_its_way() -> None:
    window = Window(one_second)
    for offset, key in enumerate(["a", "a", "b", "a"]):
        window.add(Record(0, offset, key, b"x"))
    first = window.batch(0)
    assert [held.record.offset for held in first] == [0, 2]
    assert window.batch(0) == []
    for held in first:
        window.accepted(held)
    assert records(window, 0) == [("a", 1)]


def test_a_failed_record_holds_back_its_key_and_no_other() -> None:
    window = Window(one_second)
    for offset, key in enumerate(["a", "a", "b", "b"]):
        window.add(Record(0, offset, key, b"x"))
    a, b = window.batch(0)
    window.failed(a, 0)
    window.accepted(b)
    assert records(window, 0.5) == [("b", 3)]
    assert window.seconds_until_due(0.5) == 0.5
    assert records(window, 1.0) == [("a", 0)]
    assert window.positions() == {0: 0}
    assert window.offsets == 4  # also the two that are in the stream: they are sent again after a kill


def test_positions_stop_at_what_is_open_and_pass_what_was_rejected() -> None:
    window = Window(one_second)
    window.add(Record(0, 10, "a", b"x"))
    window.pass_over(Record(0, 12, "b", b"too large"))  # 11 was compacted away
    window.add(Record(1, 5, "c", b"x"))
    assert window.positions() == {0: 10, 1: 5}
    for held in window.batch(0):
        window.accepted(held)
    assert window.positions() == {0: 13, 1: 6}
    assert (window.records, window.size, window.seconds_until_due(0)) == (0, 0, None)


def test_a_request_holds_500_records_and_5_mebibytes() -> None:
    small, large = Window(one_second), Window(one_second)
    for offset in range(501):
        small.add(Record(0, offset, str(offset), b""))
    for offset in range(6):
        large.add(Record(0, offset, str(offset), bytes(2**20 - 1)))
    assert len(small.batch(0)) == 500
    batch = large.batch(0)
    assert len(batch) == 5
    assert sum(held.record.size for held in batch) <= MAX_REQUEST_BYTES


def test_partitions_that_are_another_readers_are_forgotten() -> None:
    window = Window(one_second)
    for partition in (0, 1):
        for offset in range(3):
            window.add(Record(partition, offset, f"key{partition}", b"x"))
    window.failed(window.batch(0)[0], 0)
    window.forget([0])
    assert window.positions() == {1: 0}
    assert records(window, 5) == [("key1", 0)]
    assert window.records == 3


def test_what_kinesis_takes() -> None:
    assert partition_key("büro.corp".encode(), 0, 1) == "büro.corp"
    assert partition_key(None, 2, 7) == "2-7"
    for odd in (b"\xff", b"", b"x" * 257):
        assert len(partition_key(odd, 0, 1)) == 64
    assert refusal(Record(0, 0, "key", bytes(MAX_RECORD_BYTES - 3))) is None
    assert refusal(Record(0, 0, "key", bytes(MAX_RECORD_BYTES - 2))) == "too-large"


@settings(max_examples=examples(60), deadline=None)
@given(
    keys=st.lists(st.sampled_from("abcde"), max_size=60), seed=st.integers(0, 2**32), share=st.floats(0, 0.9)
)
def test_whatever_fails_every_key_keeps_its_order(keys: list[str], seed: int, share: float) -> None:
    dice, window, stream, now = random.Random(seed), Window(lambda n: n / 10), [], 0.0
    for offset, key in enumerate(keys):
        window.add(Record(offset % 2, offset, key, b"x"))
    while window.records:
        for held in window.batch(now):
            if dice.random() < share:
                window.failed(held, now)
            else:
                window.accepted(held)
                stream.append(held.record)
        sent = {record.offset for record in stream}
        for partition, position in window.positions().items():
            assert {n for n in range(len(keys)) if n % 2 == partition and n < position} <= sent
        now += window.seconds_until_due(now) or 0
    assert sorted(record.offset for record in stream) == list(range(len(keys)))
    for key in set(keys):
        offsets = [record.offset for record in stream if record.key == key]
        assert offsets == sorted(offsets)
