"""The help of win-event-stack: whole sentences, every option with its variable."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from local_stack.cli import main
from toolkit.options import is_consent


def _all_commands(group: click.Group) -> dict[str, click.Command]:
    """Every command of the group and of the groups inside it, by the words that one types."""
    found = dict(group.commands)
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": each for inner, each in _all_commands(command).items()}
    return found


COMMANDS = _all_commands(main)


def test_no_summary_is_cut_off() -> None:
    for group in ([], ["cdc"]):
        shown = CliRunner().invoke(main, [*group, "--help"], terminal_width=200).output
        assert "..." not in shown.partition("Commands:")[2]
    for command in COMMANDS.values():
        assert (command.help or "").split("\n\n")[0].split() == (command.short_help or "").split()


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_every_option_has_a_variable_that_is_spelled_as_the_option(words: str) -> None:
    shown = CliRunner().invoke(main, [*words.split(), "--help"], terminal_width=200)
    assert (shown.exit_code, shown.output[:6]) == (0, "Usage:")  # also where nothing runs
    for option in (each for each in COMMANDS[words].params if isinstance(each, click.Option)):
        spelled = re.sub("[ -]", "_", f"WIN_EVENT_STACK {words} {option.opts[-1].lstrip('-')}").upper()
        has_variable = f"[env var: {option.envvar or spelled}" in " ".join(shown.output.split())
        assert has_variable is not is_consent(option), option.name


def test_json_has_the_same_variable_in_both_kinds_of_status() -> None:
    for words in (["status"], ["cdc", "status"]):
        shown = " ".join(CliRunner().invoke(main, [*words, "--help"], terminal_width=200).output.split())
        assert f"WIN_EVENT_STACK_{'_'.join(words).upper()}_JSON]" in shown


def test_no_variable_allows_to_remove_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIN_EVENT_STACK_DOWN_WIPE", "1")
    with main.make_context("win-event-stack", ["down"]) as context:
        down = COMMANDS["down"].make_context("down", [], parent=context)
    assert down.params == {"wipe": False}


def test_a_variable_is_taken(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "kafka-1.log"
    log.parent.mkdir()
    log.write_text("one\ntwo\n")
    nowhere = CliRunner().invoke(main, ["logs", "x"], env={"WIN_EVENT_STACK_DIR": str(tmp_path)})
    assert "There are: kafka-1" in nowhere.output
    wrong = {"WIN_EVENT_STACK_DIR": str(tmp_path), "WIN_EVENT_STACK_LOGS_LINES": "many"}
    assert "'many' is not a valid integer" in CliRunner().invoke(main, ["logs", "kafka-1"], env=wrong).output
