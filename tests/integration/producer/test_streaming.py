import json
import signal
import socket
import subprocess
from collections import defaultdict
from pathlib import Path

from producer.events.generator_settings import GeneratorSettings
from producer.log.ledger import LedgerBlock, LedgerEnd, LedgerHeader, decode_ledger, line_digest
from producer.protocol import ResumeRequest


def test_plain_clients_get_a_line_feed_and_then_all_the_same_whole_lines(start_producer) -> None:
    server = start_producer(
        "--rate", "2000", "--count", "1500", "--wait-for-clients", "2", "--exit-when-done"
    )
    first, second = server.connect(), server.connect()
    one, two = first.read_all(), second.read_all()
    assert server.wait() == 0
    assert one == two
    assert one.startswith(b"\n{")
    lines = one[1:].splitlines(keepends=True)
    assert len(lines) == 1500
    ids = defaultdict(list)
    for event in map(json.loads, lines):
        ids[event["computer"], event["source"]].append(event["record_id"])
    assert all(own == list(range(1, len(own) + 1)) for own in ids.values())


def test_the_ledger_tells_exactly_what_was_sent(start_producer, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.ndjson"
    options = ("--rate", "max", "--count", "5000", "--wait-for-clients", "1", "--ledger", str(ledger))
    server = start_producer(*options, "--exit-when-done", "--seed", "7")
    lines = server.connect().read_all()[1:].splitlines()
    assert server.wait() == 0
    with ledger.open("rb") as file:
        header, *blocks, end = decode_ledger(file)
    assert isinstance(header, LedgerHeader)
    assert (header.log_id, header.seed, header.format) == (server.log_id, 7, "flat")
    assert GeneratorSettings.from_json(header.settings) == GeneratorSettings(seed=7)
    assert end == LedgerEnd()
    hashes = {}
    for line in lines:
        event = json.loads(line)
        hashes[event["computer"], event["source"], event["record_id"]] = line_digest(line)
    for block in blocks:
        assert isinstance(block, LedgerBlock)
        own = [hashes.pop((block.computer, block.source, n)) for n in range(block.first, block.last + 1)]
        assert b"".join(own) == block.hashes
    assert not hashes


def test_a_resuming_client_gets_the_rest_byte_for_byte(start_producer) -> None:
    server = start_producer("--rate", "max", "--count", "400")
    connection = server.connect(ResumeRequest(None, "earliest"))
    answer = connection.answer()
    assert (answer.status, answer.log_id, answer.offset) == ("ok", server.log_id, 0)
    everything = connection.read_exactly(100_000)
    connection.close()
    for offset in (1, 777, 50_000, 99_999):
        again = server.connect(ResumeRequest(server.log_id, offset, strict=True))
        answer = again.answer()
        assert (answer.status, answer.offset) == ("ok", offset)
        assert again.read_exactly(100_000 - offset) == everything[offset:]
        again.close()


def test_a_quiet_plain_client_hears_heartbeats_and_a_stop_ends_the_stream(start_producer) -> None:
    server = start_producer("--wait-for-clients", "2", "--heartbeat", "0.2")
    connection = server.connect()
    assert connection.read_exactly(3) == b"\n\n\n"
    assert server.stop(signal.SIGTERM) == 0
    assert set(connection.read_all()) <= {10}


def test_a_stop_serves_clients_to_the_end_of_the_last_line(start_producer) -> None:
    server = start_producer("--rate", "20000", "--wait-for-clients", "1")
    connection = server.connect()
    connection.read_exactly(1_000_000)
    server.process.send_signal(signal.SIGTERM)
    assert connection.read_all().endswith(b"}\n")
    assert server.wait() == 0


def test_sigusr1_ends_the_load_but_not_the_service(start_producer) -> None:
    server = start_producer("--rate", "5000", "--wait-for-clients", "1")
    server.connect().read_exactly(100_000)
    server.process.send_signal(signal.SIGUSR1)
    assert server.says("made all")
    request = ResumeRequest(None, "earliest")
    again = server.connect(request)
    assert again.answer().status == "ok"
    assert len(again.read_exactly(100_000)) == 100_000


def test_a_taken_port_is_one_clear_line_and_exit_1(command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([command, "--port", port], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert port in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.splitlines()) == 1
