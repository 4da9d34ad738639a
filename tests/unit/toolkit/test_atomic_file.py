"""A file is replaced completely or not at all, and a killed writer leaves nothing for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.atomic_file import remove_drafts, write_atomically


@pytest.mark.parametrize("sync", [True, False])
def test_a_file_is_replaced_with_its_mode(tmp_path: Path, sync: bool) -> None:
    file = tmp_path / "new" / "file"
    write_atomically(file, "old", mode=0o600, sync=sync)
    write_atomically(file, "new", mode=0o600, sync=sync)
    assert file.read_text() == "new"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(file.parent.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    write_atomically(file, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, "new")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_the_drafts_of_killed_writers_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(tmp_path / "file", "old")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: os._exit(0))
        if (child := os.fork()) == 0:
            write_atomically(tmp_path / "file", "new")
        os.waitpid(child, 0)
    assert len(list(tmp_path.iterdir())) == 2
    remove_drafts(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"
