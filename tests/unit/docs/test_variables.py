"""Every variable that an option reads is in --help, whatever the tool."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

import click
import pytest
from click.testing import CliRunner

from producer.cli import main

JOBS = ("flink_bridge.job:main", "analytics.job:main", "detection.job:main", "kafka_setup.cli:commands")
TOOLS = sorted(
    {
        *JOBS,
        *(each.value for each in entry_points(group="console_scripts") if each.name.startswith("win-event-")),
    }
    - {"kafka_setup.cli:main"}  # a function around its commands
)


def _commands(command: click.Command) -> list[click.Command]:
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(found for each in inner for found in _commands(each))]


@pytest.mark.parametrize("tool", TOOLS)
def test_help_shows_every_variable(tool: str) -> None:
    module, name = tool.split(":")
    found = getattr(import_module(module), name)
    for command in _commands(found):
        for option in command.params:
            if isinstance(option, click.Option) and option.envvar:
                assert option.show_envvar, f"{command.name} {option.opts}"


def test_the_producer_reads_the_variable_of_each_long_name(capfd: pytest.CaptureFixture[str]) -> None:
    variables = {"STDOUT": "1", "FORMAT": "nxlog", "COUNT": "1", "RATE": "max", "SEED": "1"}
    given = {f"WIN_EVENT_PRODUCER_{name}": value for name, value in variables.items()}
    CliRunner().invoke(main, env=given)
    assert capfd.readouterr().out.startswith('{"EventTime":')
