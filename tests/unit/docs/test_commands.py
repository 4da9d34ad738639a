"""Properties that every command must have."""

from __future__ import annotations

import re
import sys
from importlib import import_module, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = {
    entry.name: entry.value
    for entry in metadata.entry_points(group="console_scripts")
    if entry.name.startswith("win-event-")
}
JOBS = {f"{path.parent.name}/job.py": f"{path.parent.name}.job:main" for path in ROOT.glob("*/job.py")}


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
