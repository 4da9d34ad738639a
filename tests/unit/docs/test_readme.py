"""README, --help and pyproject say the same."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCRIPTS = {p.name for p in distribution("win-event-bridge").entry_points if p.group == "console_scripts"}
BIN = Path(sys.executable).parent


@cache
def help_of(command: str) -> str:
    """What a process of this command, and of the commands of it that follow, prints."""
    script, *words = command.split()
    return subprocess.run([BIN / script, *words, "--help"], capture_output=True, text=True, check=True).stdout


def test_readme_is_short() -> None:
    assert len(README.splitlines()) < 150


@pytest.mark.programs
@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_every_command_is_in_the_readme_and_has_help_with_an_example(script: str) -> None:
    assert f"`{script}" in README
    assert re.search(r"Examples?:", help_of(script)), help_of(script)


def test_every_command_in_the_readme_exists() -> None:
    assert set(re.findall(r"\bwin-event-[a-z-]+", README)) - {"win-event-bridge"} <= set(SCRIPTS)


@pytest.mark.programs
def test_every_option_of_a_command_in_the_readme_exists() -> None:
    for script, options in re.findall(
        r"(win-event-[a-z-]+(?: (?:apply|up|demo))?)((?: --[a-z-]+(?: [^ `|&]+)?)+)", README
    ):
        for option in re.findall(r"--[a-z-]+", options):
            assert option in help_of(script), f"{script} has no {option}"


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|\$ |^|=\d+ )make ([a-z-]+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile, target


def test_no_package_registry_is_named_anywhere() -> None:
    hosts = [
        a + b
        for a, b in (
            ("pypi.", "org"),
            ("pythonhosted.", "org"),
            ("repo1.maven", ".org"),
            ("repo.maven", ".apache"),
        )
    ]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    assert len(files) > 50
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        assert not [host for host in hosts if host in text], file
