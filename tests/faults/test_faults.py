"""The part of the matrix that every change must pass; `make faults` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.matrix import MATRIX, RESUMING
from faults.modes import modes_named
from faults.producer_faults import PRODUCER_FAULTS, ProducerFault
from faults.runner import run_fault
from faults.shared_stack import SharedStack
from running import RunningStack

pytestmark = pytest.mark.faults


# The gate shows the same without a clock, in integration/producer: test_hard_clients.py, test_full_disk.py,
# test_log_directory.py.
@pytest.mark.nightly
@pytest.mark.parametrize("row", PRODUCER_FAULTS, ids=lambda row: row.name)
def test_producer(row: ProducerFault, tmp_path: Path) -> None:
    assert row.act(tmp_path, 1).proof


@pytest.mark.integration
@pytest.mark.timeout(900)  # about 80 s on two quiet cores; a busy machine may take its time
def test_nothing_is_lost_when_everything_is_killed_in_turn(stack: RunningStack, tmp_path: Path) -> None:
    row = next(row for row in MATRIX if row.name == "everything-in-turn")
    built = SharedStack(stack, broker_proxy=None)
    results = run_fault(built, row, modes_named(",".join(RESUMING)), tmp_path / "in-turn", 1, print, rate=500)
    assert [(result.mode, result.problem) for result in results] == [(mode, "") for mode in RESUMING]
    assert all(result.figures["lost"] == 0 < result.figures["produced"] for result in results), results
    assert results[-1].figures["duplicated"] == 0
    assert results[0].proof
