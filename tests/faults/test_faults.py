"""The part of the matrix that every change must pass: the producer's rows. `make faults` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.producer_rows import PRODUCER_ROWS, ProducerRow

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("row", PRODUCER_ROWS, ids=[row.name for row in PRODUCER_ROWS])
def test_producer(row: ProducerRow, tmp_path: Path) -> None:
    assert row.act(tmp_path, 1).proof
