"""Which checkpoint a job goes on from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_stack.cluster.checkpoints import newest_checkpoint
from local_stack.layout import Stack
from local_stack.processes import StartError


def checkpoint(stack: Stack, job: str, number: int, complete: bool = True) -> Path:
    folder = stack.checkpoints / job / f"chk-{number}"
    folder.mkdir(parents=True)
    if complete:
        (folder / "_metadata").touch()
        os.utime(folder / "_metadata", (number, number))
    return folder


def test_the_newest_complete_one(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    checkpoint(stack, "a", 9)
    newest_of_a = checkpoint(stack, "a", 10)
    checkpoint(stack, "a", 11, complete=False)
    newest_of_all = checkpoint(stack, "b", 12)
    assert newest_checkpoint(stack, "a") == newest_of_a
    assert newest_checkpoint(stack) == newest_of_all


def test_none_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no complete checkpoint"):
        newest_checkpoint(Stack(tmp_path))
