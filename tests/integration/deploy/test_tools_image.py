"""The build of the tools' image, step by step, outside a container: the same commands on the same files."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from running import run

from local_stack.layout import DEPLOY, REPOSITORY

pytestmark = [pytest.mark.integration, pytest.mark.nightly]


def _steps() -> list[list[str]]:
    """COPY and RUN of the build stage."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "tools" / "Dockerfile").read_text())
    stage = text.split("\nFROM ")[1]
    return [line.split(maxsplit=1) for line in stage.splitlines() if line.startswith(("COPY", "RUN"))]


def test_the_build_makes_tools_that_work(tmp_path: Path) -> None:
    build, opt = tmp_path / "build", tmp_path / "opt"
    build.mkdir()
    for name, text in _steps():
        if name == "COPY":
            *sources, target = shlex.split(text)
            for source in sources:
                place = build / target
                if (REPOSITORY / source).is_dir():
                    shutil.copytree(REPOSITORY / source, place)
                else:
                    shutil.copy(REPOSITORY / source, place)
        else:
            here = (
                text.replace("/opt/", f"{opt}/")
                .replace("--no-cache-dir ", "")
                .replace("python -m venv", f"{sys.executable} -m venv")
            )
            result = run("sh", "-ec", here, cwd=build)
            assert result.returncode == 0, f"{text}\n{result.stdout}{result.stderr}"
    for tool in ("producer", "tail", "verify", "kafka-setup", "kafka-metrics"):
        shown = run(opt / "venv" / "bin" / f"win-event-{tool}", "--help", cwd=tmp_path)
        assert shown.returncode == 0, shown.stderr
    assert list((opt / "win-event-bridge" / "jars").glob("jmx_prometheus_javaagent-*.jar"))
