"""The log is on a small file system that becomes full: nothing is written in part, and all is reported.

The file system is mounted in a namespace of the producer's own (`unshare`, util-linux), which needs no root.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from http_client import NDJSON, Http
from running import wait_until

from producer.log.ledger import LedgerBlock, decode_ledger, line_digest
from producer.protocol import ResumeRequest

EVENT = b'{"computer":"A","pad":"%s"}' % (b"x" * 2000)
MOUNT = (
    'mount -t tmpfs -o size=2m tmpfs "$1" && head -c 1000000 /dev/zero > "$1/filler" && shift && exec "$@"'
)


@pytest.fixture
def small(request: pytest.FixtureRequest, start_producer, tmp_path: Path):
    """A producer whose log and ledger have 1 MB of room beside `filler`; the parameter: its rate."""
    folder = tmp_path / "small"
    folder.mkdir()
    server = start_producer(
        "--log-dir", str(folder / "log"), "--ledger", str(folder / "ledger"),
        "--rate", getattr(request, "param", "300"), "--http-port", "0",
        before=["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", str(folder)],
    )  # fmt: skip
    server.folder = Path(f"/proc/{server.process.pid}/root") / folder.relative_to("/")
    server.http = Http(server)
    return server


def on_disk(server) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((server.folder / "log").glob("*.log")))


def test_a_full_disk_stops_writing_says_so_and_goes_on_when_there_is_room(small) -> None:
    http = small.http
    reader = small.connect(ResumeRequest(None, "earliest"))
    assert reader.answer().offset == 0
    wait_until(lambda: http.get("/readyz").status == 503, "a full disk")
    assert "No space left" in http.get("/readyz").json["detail"]
    assert http.metric("win_event_log_refuses") == 1

    def post():
        answer = http.post(EVENT)
        return answer if answer.status != 200 else None

    refused = wait_until(post, "a refused post")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "2")
    assert "No space left" in refused.json["detail"]
    status = wait_until(lambda: _that_agrees_with_the_disk(small), "offset and file to agree")
    assert on_disk(small).endswith(b"\n")
    assert "No space left" in status["problem"]
    received = reader.read_exactly(status["end_offset"])  # clients are served meanwhile
    assert received == on_disk(small)[: len(received)]

    http.ask("PUT", "/rate", b'{"rate": 20}')  # else a slow machine finds the disk full again
    (small.folder / "filler").unlink()
    wait_until(lambda: http.get("/readyz").status == 200, "room")
    wait_until(lambda: http.get("/status").json["end_offset"] > status["end_offset"], "more events")
    assert http.post(EVENT).status == 200
    http.ask("POST", "/stop")
    content = wait_until(lambda: _at_rest(small), "a rest")
    received += reader.read_exactly(len(content) - len(received))
    assert received == content
    _compare(received, small)


def _that_agrees_with_the_disk(server) -> dict | None:
    """The status with the same end as the file: until then, a small event may still fit."""
    status = server.http.get("/status").json
    return status if status["end_offset"] == len(on_disk(server)) > 0 else None


def _at_rest(server) -> bytes:
    """The log, after nothing is appended any more."""
    before = on_disk(server)
    time.sleep(0.3)
    return before if before == on_disk(server) else b""


def _compare(content: bytes, small) -> None:
    """The ledger of the full disk has each event once, and no other."""
    wait_until(lambda: _hashes(small.folder / "ledger") == content.count(b"\n"), "the ledger's last blocks")
    found: list[bytes] = []
    with (small.folder / "ledger").open("rb") as file:
        for block in decode_ledger(file):
            if isinstance(block, LedgerBlock):
                found += [block.hashes[at : at + 8] for at in range(0, len(block.hashes), 8)]
    assert sorted(found) == sorted(line_digest(line) for line in content.split(b"\n")[:-1])


def _hashes(ledger: Path) -> int:
    with ledger.open("rb") as file:
        return sum(block.count for block in decode_ledger(file) if isinstance(block, LedgerBlock))


@pytest.mark.parametrize("small", ["20"], indirect=True)  # the disk is not full before the posts
def test_a_stream_of_posts_is_told_how_much_was_taken_before_the_disk_was_full(small) -> None:
    small.http.ask("POST", "/stop")
    before = small.http.get("/status").json
    answer = small.http.post(iter([EVENT + b"\n"] * 2000), NDJSON)
    assert answer.status == 503, answer
    assert 0 < answer.json["accepted"] < 2000
    content = on_disk(small)
    taken = content[: answer.json["end_offset"]]  # a generated event that was under way may follow it
    assert taken.endswith(b"\n")
    assert small.http.get("/status").json["events"] - before["events"] >= answer.json["accepted"]
    assert taken.count(EVENT) == content.count(EVENT) == answer.json["accepted"]
