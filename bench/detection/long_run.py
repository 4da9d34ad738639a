"""The memory of win-event-detect over an hour of events, with our own rules and their windows.

The hour is one of event time, and its events come as fast as they are made: windows follow event time, so the
memory is that of a real hour. It begins at 20:00, when the rule for night logons begins to count.
"""

from __future__ import annotations

import os
import subprocess
import time
from functools import partial

import psutil

from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import BIN, memory_mib

HOSTS, HOST_RATE = 1_000, 10  # computers; events per second of each
RATE = HOSTS * HOST_RATE
_BEGIN = "2026-01-05T20:00:00Z"
_MINUTES = "WIN_EVENT_BENCH_MINUTES"
_EVERY = 1.0  # seconds between two measurements
_SCENARIOS = ("--scenario", "brute-force@30", "--scenario", "password-spray@60")


def sections(quick: bool) -> list[Section]:
    minutes = float(os.environ.get(_MINUTES, "5" if quick else "60"))
    run = _Run(minutes * 60)
    cases = [Case(f"after {run.share(part)}", partial(run.memory, part)) for part in run.parts]
    note = (
        f"win-event-producer writes {RATE:,} events per second of event time into a pipe, from {_BEGIN} on, "
        f"as fast as it can. {_MINUTES}=20 for 20 minutes instead of an hour."
    )
    title = "Resident memory of win-event-detect that runs on"
    return [Section("detection long run", title, "MiB", cases, note=note)]


class _Run:
    """One run; its cases are the peak memory in the first one, two, three and four quarters."""

    parts = (1, 2, 3, 4)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._found: dict[int, Sample] = {}

    def share(self, part: int) -> str:
        return f"{self._seconds * part / 240:g} minutes"

    def memory(self, part: int) -> Sample:
        if part not in self._found:
            self._found = self._measured()
        return self._found.pop(part)

    def _measured(self) -> dict[int, Sample]:
        making = [str(BIN / "win-event-producer"), "--stdout", "--rate", "max", *_SCENARIOS]
        making += ["--hosts", str(HOSTS), "--host-rate", str(HOST_RATE), "--start-time", _BEGIN]
        count = ["--count", str(int(RATE * self._seconds))]
        quiet = subprocess.DEVNULL
        maker = subprocess.Popen([*making, *count], stdout=subprocess.PIPE, stderr=quiet)
        detect = subprocess.Popen(
            [str(BIN / "win-event-detect"), "--output", "json", "-"],
            stdin=maker.stdout, stdout=quiet, stderr=quiet,
        )  # fmt: skip
        samples, watched, begin = [], psutil.Process(detect.pid), time.monotonic()
        while detect.poll() is None:
            samples.append((time.monotonic() - begin, memory_mib([watched])))
            time.sleep(_EVERY)
        if maker.wait(60) or detect.returncode:
            raise RuntimeError(
                f"the producer ended with {maker.returncode}, detection with {detect.returncode}"
            )
        return {part: self._most(samples, part) for part in self.parts}

    def _most(self, samples: list[tuple[float, float]], part: int) -> Sample:
        until = samples[-1][0] * part / 4
        return Sample(max(mib for at, mib in samples if at <= until), int(RATE * self._seconds * part / 4))
