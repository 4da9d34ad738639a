"""The bridge's writer around Flink's: if close() threw, Flink would end the whole TaskManager."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.programs


@pytest.fixture
def driver(compile_java: Any) -> Any:
    return compile_java("RecordWriter", Path(__file__).parent / "CloseDriver").newInstance()


def test_a_failure_to_close_is_only_logged(driver: Any, gateway: Any) -> None:
    assert driver.close() == ""
    log = Path(gateway.jvm.System.getProperty("log.file")).read_text(encoding="utf-8")
    assert "closed after a failure: java.lang.IllegalStateException: an earlier failure" in log


def test_a_failure_to_write_is_not_hidden(driver: Any) -> None:
    assert driver.write() == "java.io.IOException: no broker for a record"
