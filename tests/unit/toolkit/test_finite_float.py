"""Numbers on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from toolkit.options import FiniteFloat

REPOSITORY = Path(__file__).parents[3]
FOLDERS = (
    "producer", "consumer", "flink_bridge", "kafka_setup", "local_stack", "analytics", "detection", "console",
    "forward",
)  # fmt: skip


def commands() -> Iterator[click.Command]:
    for folder in FOLDERS:
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            if "click.command" in file.read_text() or ".command(" in file.read_text():
                module = import_module(".".join(file.relative_to(REPOSITORY).with_suffix("").parts))
                yield from (each for each in vars(module).values() if isinstance(each, click.Command))


def below(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from below(each)


def test_no_option_takes_a_number_that_is_none() -> None:
    floats = {
        f"{command.callback.__module__} {param.name}": param.type
        for found in commands()
        for command in below(found)
        for param in command.params
        if isinstance(param.type, (click.types.FloatParamType, click.FloatRange))
    }
    assert {"producer.cli heartbeat", "flink_bridge.job checkpoint_interval"} <= floats.keys()
    assert [name for name, kind in floats.items() if not isinstance(kind, FiniteFloat)] == []


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "NaN", "1e999", "x", "0"])
def test_what_is_no_number_in_the_range_is_refused(text: str) -> None:
    @click.command()
    @click.option("--seconds", type=FiniteFloat(0, min_open=True))
    def command(seconds: float) -> None:
        click.echo(seconds)

    result = CliRunner().invoke(command, [f"--seconds={text}"])
    assert result.exit_code == 2
    assert text in result.output


def test_a_number_in_the_range_is_taken() -> None:
    assert FiniteFloat(0, 1).convert("0.5", None, None) == 0.5
