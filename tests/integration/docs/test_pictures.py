"""`make pictures` makes both screenshots from its own pipeline."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest
from running import REPOSITORY, run

pytestmark = [pytest.mark.integration, pytest.mark.nightly]


def test_both_screenshots_are_made_in_their_sizes(tmp_path: Path) -> None:
    script = REPOSITORY / "scripts" / "make-pictures.py"
    made = run(sys.executable, script, tmp_path, env={**os.environ, "PICTURES_SECONDS": "5"}, cwd=REPOSITORY)
    assert made.returncode == 0, made.stdout + made.stderr
    sizes = {file.name: struct.unpack(">II", file.read_bytes()[16:24]) for file in tmp_path.glob("*.png")}
    assert sizes == {"console-1280.png": (1280, 925), "console-390.png": (390, 844)}
