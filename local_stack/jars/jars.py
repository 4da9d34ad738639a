"""The jars of jars.lock: fetched with jgo, verified by sha256, kept once.

jars.lock is made by `python -m local_stack.jars.lock`. Image builds fetch the jars of one section by
`python -m local_stack.jars.jars SECTION FOLDER`.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tenacity import retry, retry_if_not_exception_type, stop_after_attempt, wait_random_exponential

_ANSWER_SECONDS = 60
LOCK = Path(__file__).with_name("jars.lock")


class JarError(RuntimeError):
    """A jar could not be downloaded, or is not the one in the lock."""


@dataclass(frozen=True)
class LockedJar:
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def repository_path(self) -> Path:
        return Path(*self.group.split("."), self.artifact, self.version, self.file_name)


def read_lock(section: str, lock: Path = LOCK) -> list[LockedJar]:
    """The jars of one section ("kafka", "flink")."""
    jars, inside = [], False
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            inside = line == f"[{section}]"
        elif inside and line and not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(LockedJar(group, artifact, version, sha256))
    return jars


def fetch(section: str, directory: Path, progress: Callable[[int, int], None]) -> list[Path]:
    """Download every jar of a section that is not in `directory`, and verify all; returns their paths.

    `progress(done, total)` is called after each jar. Raises JarError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    locked = read_lock(section)
    paths = []
    with ThreadPoolExecutor(max_workers=8) as pool:
        for done, path in enumerate(pool.map(lambda jar: _fetch_one(jar, directory), locked), start=1):
            paths.append(path)
            progress(done, len(locked))
    return paths


def _fetch_one(jar: LockedJar, directory: Path) -> Path:
    target = directory / jar.file_name
    if not (target.exists() and _sha256(target) == jar.sha256):  # a full disk or a crash may have cut it
        # jgo writes in place, so it works in a separate folder: an interrupted download never becomes a jar.
        with tempfile.TemporaryDirectory(dir=directory, prefix=".incoming-") as incoming:
            source = _cached(jar) or _download(jar, Path(incoming))
            draft = Path(incoming) / "verified.jar"
            draft.write_bytes(_verified(jar, source))
            draft.replace(target)
    return target


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _cached(jar: LockedJar) -> Path | None:
    """The same jar in the user's Maven cache, if it is there and intact."""
    home = Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")
    path = home / jar.repository_path
    try:
        return path if _sha256(path) == jar.sha256 else None
    except OSError:
        return None


@retry(
    stop=stop_after_attempt(4),
    wait=wait_random_exponential(max=5),
    retry=retry_if_not_exception_type(KeyboardInterrupt),
    reraise=True,
)
def _download(jar: LockedJar, incoming: Path) -> Path:
    from jgo.maven import MavenContext  # slow to load, and the jars nearly always exist already

    context = MavenContext(repo_cache=incoming, timeout=_ANSWER_SECONDS)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact().resolve())
    except Exception as error:  # jgo and its HTTP client raise many kinds; none got the jar
        (incoming / jar.repository_path).unlink(missing_ok=True)
        raise JarError(f"{jar.file_name} could not be downloaded: {error}") from error


def _verified(jar: LockedJar, source: Path) -> bytes:
    content = source.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise JarError(f"{jar.file_name}: sha256 is {found}, the lock says {jar.sha256}. Not used.")
    return content


if __name__ == "__main__":
    for path in fetch(sys.argv[1], Path(sys.argv[2]), lambda done, total: None):
        sys.stdout.write(f"{path}\n")
