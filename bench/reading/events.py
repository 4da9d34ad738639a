"""The events for measuring the readers: the producer's own, made once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings

SETTINGS = GeneratorSettings(seed=1, hosts=50)


@lru_cache(maxsize=1)
def events(count: int) -> bytes:
    """The first `count` lines of the seed."""
    return b"".join(_blocks(count))


def write_events(file: Path, count: int) -> None:
    """Write the same lines to a file, without storing them in memory."""
    with file.open("wb") as out:
        out.writelines(_blocks(count))


def _blocks(count: int) -> Iterator[bytes]:
    generator = Generator(SETTINGS)
    return (generator.take(min(1000, count - done), done, step=1).data() for done in range(0, count, 1000))
