"""Rules of CONTRIBUTING.md that no other tool checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (
    "producer", "consumer", "flink_bridge", "kafka_setup", "local_stack", "console", "analytics", "forward",
    "detection", "toolkit",
)  # fmt: skip


def test_a_folder_has_at_most_a_dozen_modules() -> None:
    folders = [path.parent for package in PACKAGES for path in (ROOT / package).rglob("__init__.py")]
    assert len(folders) > 30
    folders += {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.java")}
    counts = {
        str(folder.relative_to(ROOT)): len(
            {*folder.glob("*.py"), *folder.glob("*.java")} - {folder / "__init__.py"}
        )
        for folder in folders
    }
    assert {name: count for name, count in counts.items() if count > 12} == {}


def test_only_the_command_lines_know_click() -> None:
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(modules) > 50
    importing = {path.name for path in modules if re.search(r"^(import|from) click", path.read_text(), re.M)}
    assert {
        name for name in importing if not re.fullmatch(r"job\.py|.*cli.*\.py|(.*_)?options\.py", name)
    } == set()


@pytest.mark.parametrize("file", ["flink_bridge/job.py", "analytics/job.py", "detection/job.py"])
def test_a_job_finds_its_packages_before_it_imports_them(file: str) -> None:
    """Flink's image has them in no place where Python looks; an installation would hide a wrong order."""
    before, path, _ = (ROOT / file).read_text().partition("sys.path[0] = ")
    assert path
    assert not re.search(rf"^(import|from) ({'|'.join(PACKAGES)})\b", before, re.M)
