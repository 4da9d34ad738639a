"""Replaces a file completely or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_DRAFT = ".draft"


def write_atomically(path: Path, text: str, mode: int = 0o644, sync: bool = True) -> None:
    """Replace a file: a reader sees the old text or the new one, even after a crash. Raises OSError.

    Missing folders are created; with `mode` 0600, other users cannot open these folders, either. Without
    `sync`, a power cut may leave an empty file.
    """
    path.parent.mkdir(mode=0o755 if mode & 0o077 else 0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_DRAFT}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if sync:
        _sync_folder(path.parent)


def remove_drafts(folder: Path) -> None:
    """Delete what killed writers have left in a folder that no other process writes to."""
    for draft in folder.glob(f".*{_DRAFT}"):
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Without it, a power cut may bring the old file back."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
