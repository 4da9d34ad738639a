"""The ledger on a full or damaged disk, and the sequence of what was posted."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from producer.log import ledger_writer
from producer.log.ledger import POSTED, LedgerBlock, LedgerError, LedgerHeader, decode_ledger, line_digest
from producer.log.ledger_writer import LedgerWriter

HEADER = LedgerHeader("abc", 1, "flat")


def blocks(path: Path) -> list[LedgerBlock]:
    with path.open("rb") as file:
        return [each for each in decode_ledger(file) if isinstance(each, LedgerBlock)]


def test_posted_events_are_a_sequence_of_their_own_with_every_hash(tmp_path: Path) -> None:
    path, lines = tmp_path / "ledger", [b'{"n":%d}\n' % number for number in range(1, 2501)]
    ledger = LedgerWriter(path, HEADER)
    ledger.add_posted(1, lines[:700], 0.0)
    ledger.add_posted(701, lines[700:], 0.0)
    ledger.close()
    found = blocks(path)
    assert [(each.computer, each.source, each.first, each.last) for each in found] == [
        (*POSTED, 1, 1000), (*POSTED, 1001, 2000), (*POSTED, 2001, 2500),
    ]  # fmt: skip
    assert b"".join(each.hashes for each in found) == b"".join(line_digest(line[:-1]) for line in lines)
    assert LedgerWriter(path, HEADER).last_ids == {POSTED: 2500}


def test_what_a_full_disk_refuses_is_written_later_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger"
    ledger = LedgerWriter(path, HEADER)
    size, real = path.stat().st_size, os.write

    def half(file: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, bytes(data)[: len(data) // 2])

    monkeypatch.setattr(ledger_writer.os, "write", half)
    ledger.add_posted(1, [b'{"n":1}\n'], 0.0)
    ledger.flush()
    assert path.stat().st_size == size
    assert ledger.trouble
    with pytest.raises(OSError, match="No space left"):
        ledger.check()
    monkeypatch.undo()
    ledger.check()
    assert not ledger.trouble
    assert [(each.first, each.last) for each in blocks(path)] == [(1, 1)]


@pytest.mark.parametrize("tail", [b"\x00" * 300, b'{"computer":"WS', b"\x00\n\x00\n", b"nonsense\n"])
def test_a_damaged_tail_is_left_out(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "ledger"
    ledger = LedgerWriter(path, HEADER)
    ledger.add_posted(1, [b'{"n":1}\n'], 0.0)
    ledger.close()
    good = path.read_bytes()
    path.write_bytes(good + tail)
    LedgerWriter(path, HEADER).close()
    assert path.read_bytes() == good


def test_a_damaged_middle_or_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger = LedgerWriter(path, HEADER)
    ledger.add_posted(1, [b'{"n":1}\n'], 0.0)
    ledger.close()
    header, block = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + b"nonsense\n" + block)
    with pytest.raises(LedgerError):
        LedgerWriter(path, HEADER)
    path.write_bytes(b"my shopping list\n")
    with pytest.raises(LedgerError):
        LedgerWriter(path, HEADER)


def test_the_ledger_of_an_earlier_id_of_the_log_goes_on(tmp_path: Path) -> None:
    LedgerWriter(tmp_path / "ledger", LedgerHeader("old", 1, "flat")).close()
    LedgerWriter(tmp_path / "ledger", HEADER, ["old"]).close()
    with pytest.raises(LedgerError, match="belongs to log old"):
        LedgerWriter(tmp_path / "ledger", HEADER, ["older"])
