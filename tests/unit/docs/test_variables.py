"""Every option has a variable, which --help shows, whatever the tool."""

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


# These remove or overwrite something: a forgotten variable must not allow it.
ASKED_FOR_EACH_TIME = {"--yes", "--force", "--wipe", "--prune", "--reset-passwords"}
OF_ANALYTICS = {"--set", "--from-files"}  # its --help says so


def _commands(command: click.Command) -> list[click.Command]:
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(found for each in inner for found in _commands(each))]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_option_has_a_variable_and_help_shows_it(tool: str) -> None:
    module, name = tool.split(":")
    found = getattr(import_module(module), name)
    without = set()
    for command in _commands(found):
        shown = command.get_help(click.Context(command, info_name=command.name, **found.context_settings))
        for option in command.params:
            if isinstance(option, click.Option) and option.name != "version":
                record = option.get_help_record(click.Context(command, **found.context_settings))
                if record is None or "[env var: " not in record[1]:
                    without.update(option.opts)
                else:
                    assert option.opts[0] in shown
    assert without <= ASKED_FOR_EACH_TIME | OF_ANALYTICS


def test_the_producer_reads_the_variable_of_each_long_name(capfd: pytest.CaptureFixture[str]) -> None:
    variables = {"STDOUT": "1", "FORMAT": "nxlog", "COUNT": "1", "RATE": "max", "SEED": "1"}
    given = {f"WIN_EVENT_PRODUCER_{name}": value for name, value in variables.items()}
    CliRunner().invoke(main, env=given)
    assert capfd.readouterr().out.startswith('{"EventTime":')
