"""What several threads of the producer do at the same time counts as if one had done it after the other."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from running import wait_until

from producer.log.event_log import EventLog
from producer.log.intake import Intake
from producer.log.ledger import POSTED, LedgerBlock, LedgerHeader, decode_ledger
from producer.log.ledger_writer import LedgerWriter
from producer.serving.server import Server, ServerSettings

THREADS, POSTS = 8, 200


def test_every_posted_event_has_a_number_of_its_own(tmp_path: Path) -> None:
    log = EventLog(2**24)
    ledger = LedgerWriter(tmp_path / "ledger", LedgerHeader(log.log_id, 1, "flat", None))
    intake = Intake(log, ledger)

    def post(thread: int) -> list[tuple[int, bytes]]:
        lines = [b'{"thread":%d,"post":%d}\n' % (thread, number) for number in range(POSTS)]
        return [(intake.append([line]).offset, line) for line in lines]

    with ThreadPoolExecutor(THREADS) as pool:
        placed = [each for of_one in pool.map(post, range(THREADS)) for each in of_one]
    ledger.end()
    ledger.close()
    assert intake.count == log.events == THREADS * POSTS
    assert all(bytes(log.read(offset)[: len(line)]) == line for offset, line in placed)
    with (tmp_path / "ledger").open("rb") as file:
        blocks = [entry for entry in decode_ledger(file) if isinstance(entry, LedgerBlock)]
    assert {(block.computer, block.source) for block in blocks} == {POSTED}
    numbers = [number for block in blocks for number in range(block.first, block.last + 1)]
    assert numbers == list(range(1, THREADS * POSTS + 1))


def test_only_the_threads_of_clients_have_a_small_stack() -> None:
    """A small stack for all would also be that of HTTP, where deep JSON may be read."""
    usual = threading.stack_size()
    server = Server(ServerSettings(port=0), EventLog(2**20))
    server.start()
    try:
        with socket.create_connection(server.address, timeout=60) as client:
            assert client.recv(1) == b"\n"  # it is served, so its thread runs
            wait_until(lambda: server.count() == 1, "the client is counted")
            assert threading.stack_size() == usual
    finally:
        server.stop()
