"""scripts/get-prometheus, with Debian's tools replaced by ones that unpack a program of our own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from running import run

from local_stack.layout import REPOSITORY

pytestmark = pytest.mark.programs

_USED = ("bash", "dirname", "grep", "id", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "touch")
_TEMPLATES = "/usr/share/prometheus/alertmanager"


def _get_alertmanager(folder: Path, program: str) -> Any:
    tools = folder / "tools"
    tools.mkdir()
    into = 'mkdir -p "$3/usr/bin" && printf %s "$PROGRAM" > "$3/usr/bin/prometheus-alertmanager"'
    for name, text in (("apt-get", "touch prometheus-alertmanager_1_amd64.deb"), ("dpkg-deb", into)):
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    for name in _USED:  # and nothing else, such as an Alertmanager that is installed here
        (tools / name).symlink_to(str(shutil.which(name)))
    environment = {"PATH": str(tools), "PROGRAM": program}
    script = REPOSITORY / "scripts" / "get-prometheus"
    return run("bash", script, folder / "got", "prometheus-alertmanager", env=environment)


def test_alertmanager_looks_for_its_templates_in_the_working_directory(tmp_path: Path) -> None:
    result = _get_alertmanager(tmp_path, f"before{_TEMPLATES}/ui/after")
    assert result.returncode == 0, result.stderr
    found = (tmp_path / "got/usr/bin/prometheus-alertmanager").read_text()
    folder = found.removeprefix("before").removesuffix("/ui/after")
    assert len(folder) == len(_TEMPLATES)
    assert Path(folder).samefile(Path.cwd())


def test_a_version_that_looks_elsewhere_is_refused(tmp_path: Path) -> None:
    result = _get_alertmanager(tmp_path, "/usr/share/elsewhere")
    assert result.returncode == 1
    assert f"this version does not name {_TEMPLATES}" in result.stderr
    assert not (tmp_path / "got").exists()
