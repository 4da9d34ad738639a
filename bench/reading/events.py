"""The events that the readers are measured with: the producer's own, made once."""

from __future__ import annotations

from functools import lru_cache

from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings

SETTINGS = GeneratorSettings(seed=1, hosts=50)


@lru_cache(maxsize=1)
def events(count: int) -> bytes:
    """The first `count` lines of the seed."""
    generator = Generator(SETTINGS)
    return b"".join(
        generator.take(min(1000, count - done), done, step=1).data() for done in range(0, count, 1000)
    )
