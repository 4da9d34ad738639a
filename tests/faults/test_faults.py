"""The part of the matrix that every change must pass; `make faults` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import network_strikes, process_strikes
from faults.matrix import LOG_DIR
from faults.modes import MODES
from faults.producer_rows import PRODUCER_ROWS, ProducerRow
from faults.rehearsal import run_scenario
from faults.scenario import Scenario
from faults.situation import Situation
from faults.stage import Stage
from running import RunningStack

pytestmark = pytest.mark.faults

RESUMING = tuple(mode for mode in MODES if mode.lossless)


@pytest.mark.parametrize("row", PRODUCER_ROWS, ids=[row.name for row in PRODUCER_ROWS])
def test_producer(row: ProducerRow, tmp_path: Path) -> None:
    assert row.act(tmp_path, 1).proof


def _one_after_the_other(situation: Situation) -> str:
    faults = (
        process_strikes.one_taskmanager_kill,
        network_strikes.one_reset,
        process_strikes.producer_kill_keeping_the_log,
    )
    return "; ".join(fault(situation) for fault in faults)


def test_nothing_is_lost_when_everything_is_killed_in_turn(stack: RunningStack, tmp_path: Path) -> None:
    scenario = Scenario(
        "kills", "TaskManager, connection, producer", 60, _one_after_the_other, producer=LOG_DIR
    )
    results = run_scenario(
        Stage(stack, None, False), scenario, RESUMING, tmp_path / "kills", 1, print, rate=500
    )
    assert [result.mode for result in results] == [mode.name for mode in RESUMING]
    assert {result.mode: result.problem for result in results} == {mode.name: "" for mode in RESUMING}
