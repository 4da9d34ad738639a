"""The help of win-event-stack: whole sentences, every option with its variable."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from local_stack.cli import main


def test_no_summary_is_cut_off() -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=200).output
    assert "..." not in shown.partition("Commands:")[2]
    for command in main.commands.values():
        assert (command.help or "").split("\n\n")[0].split() == (command.short_help or "").split()


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_option_has_a_variable(command: str) -> None:
    options = [each for each in main.commands[command].params if isinstance(each, click.Option)]
    shown = " ".join(CliRunner().invoke(main, [command, "--help"], terminal_width=200).output.split())
    for option in options:
        variable = option.envvar or f"WIN_EVENT_STACK_{command}_{option.name}".upper()
        if command != "sql":  # its options are those of Flink's SQL client
            assert f"[env var: {variable}" in shown, option.name


def test_a_variable_is_taken(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "kafka-1.log"
    log.parent.mkdir()
    log.write_text("one\ntwo\n")
    nowhere = CliRunner().invoke(main, ["logs", "x"], env={"WIN_EVENT_STACK_DIR": str(tmp_path)})
    assert "There are: kafka-1" in nowhere.output
    wrong = {"WIN_EVENT_STACK_DIR": str(tmp_path), "WIN_EVENT_STACK_LOGS_LINES": "many"}
    assert "'many' is not a valid integer" in CliRunner().invoke(main, ["logs", "kafka-1"], env=wrong).output
