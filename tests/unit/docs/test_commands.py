"""Properties that every command must have."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = {
    entry.name: entry.value
    for entry in metadata.entry_points(group="console_scripts")
    if entry.name.startswith("win-event-")
}
JOBS = {f"{path.parent.name}/job.py": f"{path.parent.name}.job:main" for path in ROOT.glob("*/job.py")}


def _options(command: click.Command, path: str) -> Iterator[tuple[str, click.Option]]:
    """The visible options of a command and of all commands below it."""
    for name, below in getattr(command, "commands", {}).items():
        yield from _options(below, f"{path} {name}")
    for each in command.params:
        if isinstance(each, click.Option) and not each.hidden:
            yield f"{path} {each.opts[0]}", each


def test_every_option_is_explained() -> None:
    unexplained = []
    for command, entry in {**SCRIPTS, **JOBS}.items():
        module = import_module(entry.partition(":")[0])
        mains = [getattr(module, name, None) for name in ("main", "commands")]
        found = [
            each for main in mains if isinstance(main, click.Command) for each in _options(main, command)
        ]
        assert found, f"{command} has no options"
        unexplained += [name for name, option in found if not option.help]
    assert unexplained == []


@pytest.mark.parametrize("command", [*SCRIPTS, *JOBS])
def test_every_command_says_its_version_and_helps(command: str, monkeypatch, capsys) -> None:
    module, _, name = {**SCRIPTS, **JOBS}[command].partition(":")
    main = getattr(import_module(module), name)

    def said(option: str) -> str:
        monkeypatch.setattr(sys, "argv", [command, option])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0
        return str(capsys.readouterr().out)

    # A tool has the name by which it was called first: in this process, that may be a test's.
    called, _, version = said("--version").partition(", version ")
    assert version == f"{metadata.version('win-event-bridge')}\n"
    assert (called == "win-event-bridge") == (command in JOBS)
    for text in (said("--help"), said("-h")):
        assert "Options:" in text
        assert not re.search(r"[a-z]\.\.\.$", text, re.MULTILINE), "a summary is cut off"
