"""A run with any options can be audited: by its ledger, or by its seed and the same options."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from running import BIN, run

START = ("--start-time", "2026-01-01T08:00:00+01:00")
RUNS = {
    "pace": ("--rate-pattern", "bursty", "--host-rate", "3", *START),
    "content": ("--channel-mix", "80/10/10", "--profile", "domain-controller", "--backfill", "1h"),
    "attack": ("--format", "winlogbeat", "--labels", "--scenario", "brute-force@5", *START),
}
COUNT = ("--count", "2000", "--seed", "5")


@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
def test_a_run_is_audited_by_its_ledger_and_by_its_seed(options: tuple[str, ...], tmp_path: Path) -> None:
    ledger, events, fewer = (tmp_path / name for name in ("run.ledger", "events.ndjson", "fewer.ndjson"))
    words = ["--stdout", "--rate", "max", "--ledger", str(ledger), *COUNT, *options]
    with events.open("wb") as file:
        subprocess.run([BIN / "win-event-producer", *words], stdout=file, check=True, timeout=120)
    by_ledger = run(BIN / "win-event-verify", "--file", events, "--ledger", ledger)
    assert by_ledger.returncode == 0, by_ledger.stdout + by_ledger.stderr
    by_seed = run(BIN / "win-event-verify", "--file", events, *COUNT, *options)
    assert by_seed.returncode == 0, by_seed.stdout + by_seed.stderr

    lines = events.read_bytes().splitlines(keepends=True)
    fewer.write_bytes(b"".join(lines[:1000] + lines[1001:]))
    assert run(BIN / "win-event-verify", "--file", fewer, "--ledger", ledger).returncode == 1
    assert run(BIN / "win-event-verify", "--file", fewer, *COUNT, *options).returncode == 1
