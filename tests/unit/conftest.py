"""The built-in catalogue of events is read once a process: each generator would read it again, in 60 ms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from producer.events import generator
from producer.events.catalogue.event_catalogue import BUILT_IN, Catalogue, load_catalogue


@cache
def _built_in() -> Catalogue:
    return load_catalogue(BUILT_IN)


def _load(folder: Path = BUILT_IN) -> Catalogue:
    return _built_in() if folder == BUILT_IN else load_catalogue(folder)


@pytest.fixture(scope="session", autouse=True)
def _one_catalogue() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "load_catalogue", _load)
        yield
