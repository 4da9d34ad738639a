"""kill -9 at random moments: no torn, lost or repeated id in the log directory, and a ledger that agrees.

Run: python -m bench.producer_kills [times]
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.producer_process import ProducerProcess, connect
from producer.log.ledger import LedgerBlock, decode_ledger, line_digest
from producer.protocol import ResumeRequest


def kill_many(times: int, folder: Path) -> None:
    """Each round resumes where the one before was cut, and is killed after a random number of bytes."""
    options = ("--log-dir", str(folder / "log"), "--ledger", str(folder / "ledger"), "--rate", "20000")
    dice, received, ids = random.Random(1), bytearray(), set()
    for _ in range(times):
        server = ProducerProcess(*options, "--retain-bytes", "4000000000")
        ids.add(server.log_id)
        client = connect(server.port, ResumeRequest(server.log_id, len(received), strict=True))
        wanted = len(received) + dice.randrange(1, 5_000_000)
        while len(received) < wanted:
            received += client.recv(wanted - len(received))
        server.kill()
        client.close()
    server = ProducerProcess(*options, "--retain-bytes", "4000000000", "--count", "1")
    server.wait_for("made all")
    server.stop()
    content = b"".join(path.read_bytes() for path in sorted((folder / "log").glob("*.log")))
    events = check(content, folder / "ledger")
    assert len(ids) == 1
    assert content.startswith(received)
    print(f"{times} kills: {events} events, none torn, lost or repeated; one log id; the ledger agrees")


def check(content: bytes, ledger: Path) -> int:
    """The number of events; fails at the first id or hash that is not as it must be."""
    last: dict[tuple[str, str], int] = defaultdict(int)
    hashes: dict[tuple[str, str, int], bytes] = {}
    for line in content.splitlines():
        event = json.loads(line)
        key = event["computer"], event["source"]
        assert event["record_id"] == last[key] + 1, f"{key}: {event['record_id']} after {last[key]}"
        last[key] += 1
        hashes[(*key, last[key])] = line_digest(line)
    events = len(hashes)
    with ledger.open("rb") as file:
        for block in decode_ledger(file):
            if isinstance(block, LedgerBlock):
                own = (
                    hashes.pop((block.computer, block.source, n)) for n in range(block.first, block.last + 1)
                )
                assert b"".join(own) == block.hashes, f"{block} does not agree"
    assert not hashes, f"the ledger misses {len(hashes)} events"
    return events


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as folder:
        kill_many(times, Path(folder))


if __name__ == "__main__":
    main()
