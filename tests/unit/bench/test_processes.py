"""The processor time of a program has that of the programs that it has started."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from bench.processes import cpu_seconds

_BURN = "import time\nwhile time.process_time() < 0.5: pass"


@pytest.mark.programs
def test_what_has_ended_counts() -> None:
    this = [psutil.Process()]
    before = cpu_seconds(this)
    subprocess.run([sys.executable, "-c", _BURN], check=True)
    assert cpu_seconds(this) - before > 0.4
