"""Archives of classes that Java has already read and checked: starting with one takes a third less CPU time.

There is one archive for each class path, beside the jars, made at the first `up`. NAME.classes.gz lists the
classes in it: those that a start loads. `scripts/list-classes` renews the list. Without an archive, Java
starts more slowly.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from local_stack.jars.java import java_home

_LISTS = Path(__file__).parent
_KEPT = 4  # archives of one name in a folder, which checkouts may share; 100 MB each


def archive(name: str, jars: Sequence[Path], folder: Path) -> Path:
    """The path of the archive for these jars and this Java; it may not exist yet."""
    release = java_home() / "release"
    key = hashlib.sha256(release.read_bytes() if release.exists() else str(java_home()).encode())
    key.update(_list(name).read_bytes())
    for jar in jars:
        found = jar.stat() if jar.exists() else None
        key.update(f"{jar} {found and (found.st_size, found.st_mtime_ns)}\n".encode())
    return folder / f"{name}-{key.hexdigest()[:16]}.jsa"


def options(name: str, jars: Sequence[Path], folder: Path) -> list[str]:
    """Options for Java, whose class path must begin with these jars."""
    # A jar that was changed since is told on stdout, and the archive is not used.
    return [f"-XX:SharedArchiveFile={archive(name, jars, folder)}", "-Xlog:cds=off"]


def make(name: str, jars: Sequence[Path], folder: Path, told: Callable[[str], None]) -> None:
    """Make the archive if it does not exist. A failure is reported, and there is no second try."""
    target = archive(name, jars, folder)
    if target.exists():
        return
    with (folder / f".{name}-classes.lock").open("w") as lock:  # several stacks may start at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            told(f"{name}: preparing Java's classes, once, for quicker starts")
            _make(target, _list(name), jars)
            for old in sorted(folder.glob(f"{name}-*.jsa"), key=os.path.getmtime)[:-_KEPT]:
                old.unlink()


def _make(target: Path, classes: Path, jars: Sequence[Path]) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".archive-") as name:
        wanted, draft = Path(name) / "classes", Path(name) / "archive"
        wanted.write_bytes(gzip.decompress(classes.read_bytes()))
        command = [str(java_home() / "bin" / "java"), "-Xshare:dump", f"-XX:SharedClassListFile={wanted}"]
        command += [f"-XX:SharedArchiveFile={draft}", "-cp", ":".join(map(str, jars))]
        subprocess.run(command, capture_output=True, check=False)
        draft.touch()  # Java cannot: an empty file, which it does not use
        draft.replace(target)


def _list(name: str) -> Path:
    return _LISTS / f"{name}.classes.gz"
