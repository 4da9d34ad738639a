"""When the job warns that most lines are rejected; the clock is the test's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.programs

MINUTE = 60_000


@pytest.fixture
def watch(compile_java: Any) -> Callable[[str], Any]:
    def start(endpoint: str) -> Any:
        driver = compile_java("RejectionWatch", Path(__file__).parent / "WatchDriver").newInstance()
        driver.start(endpoint)
        return driver

    return start


def warnings(gateway: Any, endpoint: str) -> int:
    log = Path(gateway.jvm.System.getProperty("log.file")).read_text(encoding="utf-8")
    return log.count(f"lines from {endpoint} were rejected, most of them as not-json")


def test_more_than_half_of_a_minute_is_warned_of(watch: Callable[[str], Any], gateway: Any) -> None:
    many = watch("many:1")
    assert many.after(50, 50, 20_000) == 0
    assert many.after(0, 1, 40_000) == 1
    assert many.after(10, 0, MINUTE) == 0
    assert many.after(10, 0, 10_000) == 0
    assert warnings(gateway, "many:1") == 1


def test_a_few_lines_a_minute_are_counted_together(watch: Callable[[str], Any], gateway: Any) -> None:
    few = watch("few:1")
    assert [few.after(0, 4, minutes * MINUTE) for minutes in (1, 2)] == [0, 0]
    assert few.after(0, 4, 3 * MINUTE) == 1
    assert few.after(0, 4, MINUTE) == 1  # too few to say that it is better
    assert few.after(7, 0, 2 * MINUTE) == 0
    assert warnings(gateway, "few:1") == 1
