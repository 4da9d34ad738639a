"""The command that adds an extra fits the installation."""

from __future__ import annotations

import sys

import pytest

from local_stack.extras import how_to_add, requirement


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
