"""The command that adds an extra fits the installation."""

from __future__ import annotations

import sys
from importlib import import_module, metadata
from pathlib import Path

import pytest

from cli_types.extras import how_to_add, needed, requirement


def test_where_it_came_from_is_where_the_extra_comes_from() -> None:
    assert requirement("local", None) == "win-event-bridge[local]"
    assert requirement("local", "file:///a.whl") == "win-event-bridge[local] @ file:///a.whl"


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/me/.local/pipx/venvs/win-event-bridge", "pipx install --force 'win-event-bridge[local]"),
        (
            "/home/me/.local/share/uv/tools/win-event-bridge",
            "uv tool install --force 'win-event-bridge[local]",
        ),
        ("/home/me/venv", "uv pip install --python"),  # this environment has no pip
    ],
)
def test_each_installer_has_its_command(monkeypatch: pytest.MonkeyPatch, prefix: str, command: str) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    assert how_to_add("local").startswith(command)


def test_a_missing_module_of_an_extra_ends_the_tool_with_the_command() -> None:
    with pytest.raises(SystemExit) as end, needed("win-event-x", "local", "not_there"):
        import_module("not_there.inside")
    said = str(end.value)
    assert said.startswith(
        "error: win-event-x needs not_there, which comes with the extra `local`. To add it:\n"
    )
    assert said.endswith(how_to_add("local"))
    with pytest.raises(ModuleNotFoundError), needed("win-event-x", "local", "another"):
        import_module("not_there")


def test_no_message_advises_to_install_by_the_name_alone() -> None:
    """The toolkit may be in no package index: only the origin of this installation is known to work."""
    root = Path(__file__).resolve().parents[3]
    folders = {f"{name.partition(':')[0].partition('.')[0]}" for name in _entries()} | {
        "cli_types",
        "flink_bridge",
    }
    for file in (file for folder in folders for file in (root / folder).rglob("*.py")):
        assert "pip install 'win-event-bridge[" not in file.read_text(encoding="utf-8"), file


def _entries() -> list[str]:
    scripts = metadata.entry_points(group="console_scripts")
    return [entry.value for entry in scripts if entry.name.startswith("win-event-")]
