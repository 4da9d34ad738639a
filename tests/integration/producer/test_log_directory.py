"""kill -9 at random moments: no torn, lost or repeated id in the log directory."""

import json
import os
import random
import signal
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import pytest
from running import BIN, free_ports, wait_until

from producer.log.ledger import LedgerBlock, decode_ledger, line_digest
from producer.protocol import ResumeRequest


def read_directory(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.log")))


def ids_of(content: bytes) -> dict[tuple[str, str], list[int]]:
    ids = defaultdict(list)
    for line in content.splitlines():
        event = json.loads(line)
        ids[event["computer"], event["source"]].append(event["record_id"])
    return ids


@pytest.mark.faults
def test_kills_leave_every_id_exactly_once_and_a_true_ledger(start_producer, tmp_path: Path) -> None:
    folder, ledger, dice = tmp_path / "log", tmp_path / "ledger.ndjson", random.Random(4)
    options = ("--log-dir", str(folder), "--ledger", str(ledger), "--retain-bytes", "500000000")
    log_ids, position, received = set(), 0, b""
    for _ in range(8):
        server = start_producer("--rate", "max", *options)
        connection = server.connect(ResumeRequest(server.log_id, position, strict=True))
        assert connection.answer().offset == position
        received += connection.read_exactly(dice.randrange(1, 3_000_000))
        position = len(received)
        server.kill()
        log_ids.add(server.log_id)
    server = start_producer("--rate", "1", "--count", "1", *options)
    assert server.stop() == 0
    content = read_directory(folder)
    assert len(log_ids) == 1
    assert content.startswith(received)
    assert all(own == list(range(1, len(own) + 1)) for own in ids_of(content).values())
    compare(content, ledger)


def compare(content: bytes, ledger: Path) -> None:
    """The ledger's blocks cover exactly the events of the log, with their hashes."""
    hashes = {}
    for line in content.splitlines():
        event = json.loads(line)
        hashes[event["computer"], event["source"], event["record_id"]] = line_digest(line)
    with ledger.open("rb") as file:
        for block in decode_ledger(file):
            if isinstance(block, LedgerBlock):
                ids = range(block.first, block.last + 1)
                own = [hashes.pop((block.computer, block.source, record_id)) for record_id in ids]
                assert b"".join(own) == block.hashes
    assert not hashes


def test_a_restart_serves_the_old_bytes_and_goes_on(start_producer, tmp_path: Path) -> None:
    options = ("--log-dir", str(tmp_path / "log"), "--rate", "max", "--count", "3000")
    first = start_producer(*options)
    assert first.says("made all")
    assert first.stop() == 0
    before = read_directory(tmp_path / "log")
    second = start_producer(*options, "--wait-for-clients", "1", "--exit-when-done")
    connection = second.connect(ResumeRequest(first.log_id, 0, strict=True))
    assert connection.answer().status == "ok"
    everything = connection.read_all()
    assert second.wait() == 0
    assert everything.startswith(before)
    assert everything == read_directory(tmp_path / "log")
    ids = ids_of(everything)
    assert sum(map(len, ids.values())) == 6000
    assert all(own == list(range(1, len(own) + 1)) for own in ids.values())


def test_a_cut_log_that_has_grown_again_is_another_log_to_its_readers(start_producer, tmp_path: Path) -> None:
    """As after a power cut: the last events are lost, and new ones get their offsets before a reader asks."""
    folder = tmp_path / "log"
    options = ("--log-dir", str(folder), "--rate", "max")
    first = start_producer(*options, "--count", "3000")
    assert first.says("made all")
    seen = first.connect(ResumeRequest(first.log_id, 0))
    end = seen.answer().offset + len(read_directory(folder))
    assert seen.read_exactly(end) == read_directory(folder)
    first.kill()
    segment = max(folder.glob("*.log"))
    os.truncate(segment, segment.stat().st_size - 100_000)
    second = start_producer(*options, "--count", "5000", "--seed", "7")
    assert second.says("made all")
    assert second.says("bytes are gone")
    again = second.connect(ResumeRequest(first.log_id, end))
    answer = again.answer()
    assert (answer.status, answer.log_id) == ("new-log", second.log_id)
    assert second.log_id != first.log_id
    content = read_directory(folder)
    assert answer.offset < end < len(content)
    assert again.read_exactly(len(content) - answer.offset) == content[answer.offset :]
    assert content[answer.offset - 1 : answer.offset] == b"\n"
    refused = second.connect(ResumeRequest(first.log_id, end, strict=True)).answer()
    assert (refused.status, refused.code) == ("error", "new-log")


def test_the_directory_is_bounded_and_starts_later_then(start_producer, tmp_path: Path) -> None:
    options = ("--log-dir", str(tmp_path), "--retain-bytes", "2000000", "--rate", "max", "--count", "20000")
    server = start_producer(*options)
    assert server.says("made all")
    answer = server.connect(ResumeRequest(server.log_id, 0)).answer()
    assert answer.status == "gap"
    assert server.stop(signal.SIGINT) == 0
    assert len(read_directory(tmp_path)) < 6_000_000
    again = start_producer(*options[:4], "--rate", "1")
    assert again.connect(ResumeRequest(server.log_id, answer.offset, strict=True)).answer().status == "ok"


def test_plain_positions_survive_a_restart(start_producer, tmp_path: Path) -> None:
    options = ("--log-dir", str(tmp_path), "--plain-resume", "0", "--rate", "2000")
    first = start_producer(*options, "--count", "500", "--wait-for-clients", "1")
    client = first.connect()
    assert first.says("made all")
    before = read_directory(tmp_path)
    assert client.read_exactly(1 + len(before)) == b"\n" + before
    client.close()
    assert first.stop() == 0
    second = start_producer(*options)
    while len(read_directory(tmp_path)) == len(before):  # so that "from now on" is another place
        time.sleep(0.01)
    continued = second.connect().read_exactly(100_000)[1:]
    assert read_directory(tmp_path)[len(before) :].startswith(continued)


def test_a_directory_that_cannot_be_used_is_one_clear_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [command, "--port", "0", "--log-dir", str(tmp_path / "file" / "log")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def read_for(client, seconds: float) -> bytes:
    received, deadline = b"", time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        client.socket.settimeout(left)
        try:
            received += client.socket.recv(65536)
        except TimeoutError:
            break
    return received


@pytest.mark.parametrize("kills", [4, pytest.param(10, marks=pytest.mark.nightly)])
def test_clients_of_one_address_miss_nothing_over_several_kills(
    start_producer, compile_java, tmp_path: Path, kills: int
) -> None:
    """Two plain ones, Flink's own socket source and win-event-tail, which both come back by themselves.

    A stranger comes first in each round, stays short or long, and never comes back.
    """
    (port,) = free_ports(1)
    options = (
        "--port", str(port), "--log-dir", str(tmp_path / "log"), "--plain-resume", "4000000",
        "--rate", "2000", "--hosts", "2",
    )  # fmt: skip
    dice, seen = random.Random(3), dict.fromkeys(("source", "other source"), b"")
    flink = compile_java(Path(__file__).parent / "FlinkSocketSource").newInstance()
    flink.start(port)
    with (tmp_path / "tail").open("wb") as output:
        tail = subprocess.Popen([BIN / "win-event-tail", "--port", str(port), "-o", "json"], stdout=output)
    try:
        for number in range(kills):
            server = start_producer(*options)
            stranger = server.connect()
            read_for(stranger, dice.choice((0.3, 1.5)))
            stranger.close()
            names = sorted(seen, key=lambda _: dice.random())
            clients = {}
            for name in names:
                clients[name] = server.connect()
                seen[name] += read_for(clients[name], dice.choice((0.05, 0.6)))
            for name in names if number % 2 else names[:1]:
                seen[name] += read_for(clients[name], 0.4)
            server.kill()
            if number == kills // 2:
                half = len(seen["source"])
        server = start_producer(*options)
        wait_until(lambda: (tmp_path / "tail").stat().st_size > half, "what the tail has missed")
        wait_until(lambda: flink.size() > half, "what Flink's source has missed")
    finally:
        flink.stop()
        tail.terminate()
        tail.wait(60)
    seen |= {"tail": (tmp_path / "tail").read_bytes(), "Flink": bytes(flink.taken())}
    for name, content in seen.items():
        found = ids_of(b"\n".join(whole_lines(content)))
        assert found
        for key, ids in found.items():
            assert set(range(min(ids), max(ids) + 1)) == set(ids), (name, key)


def whole_lines(content: bytes) -> list[bytes]:
    """Each connection begins with a single LF; the torn line of the one before stands in front of it."""
    return [line for line in content.split(b"\n") if line.startswith(b"{") and line.endswith(b"}")]


def test_positions_are_saved_also_when_the_load_has_ended(start_producer, tmp_path: Path) -> None:
    options = ("--log-dir", str(tmp_path), "--plain-resume", "0")
    first = start_producer(*options, "--rate", "max", "--count", "300")
    assert first.says("made all")
    client = first.connect()
    assert client.read_exactly(1) == b"\n"
    before = len(read_directory(tmp_path))
    first.kill()
    second = start_producer(*options, "--rate", "max", "--count", "300")
    assert second.says("made all")
    again = second.connect()
    assert again.read_exactly(10_000)[1:] == read_directory(tmp_path)[before : before + 9_999]
