"""The soak of the reader (make soak-reader) finds a line that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jvm_reader
import pytest

pytestmark = pytest.mark.programs


@pytest.fixture
def soak(compile_java: Any) -> Iterator[Any]:
    java = Path(jvm_reader.__file__).parent / "faults" / "ReaderSoak"
    started = compile_java(*jvm_reader.CLASSES, java).newInstance()
    yield started
    started.close()


def test_a_sound_reader_passes(soak: Any) -> None:
    assert [soak.round(1_000, False), soak.round(1_000, True)] == ["", ""]


def test_a_lost_line_is_a_failure_soon(soak: Any) -> None:
    soak.lose(500, 1)
    said = soak.round(1_000, False)
    assert said == f"no line for 1 s: buffered 0, lines 999 of 1000, position L {999 * 17}"
