"""What win-event-kafka-setup prints: rows on standard output, talk on standard error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

import click
from rich.console import Console

from kafka_setup import rows
from kafka_setup.resources import Result


def report(results: list[Result], *, as_json: bool) -> int:
    show(results, as_json=as_json)
    counts = Counter(result.status for result in results)
    talk(", ".join(f"{count} {status}" for status, count in counts.items()) or "the topology is empty")
    return int(any(result.failed for result in results))


def show(results: Iterable[Result], *, as_json: bool, signs: bool = False) -> None:
    if as_json:
        click.echo(rows.as_json(results), nl=False)
    else:
        Console(highlight=False).print(rows.as_text(results, signs=signs), end="", soft_wrap=True)


def talk(line: str) -> None:
    click.echo(line, err=True)


def say_waiting(reason: str) -> None:
    click.secho(f"waiting: {reason}", fg="yellow", err=True)


def fail(text: str, code: int) -> NoReturn:
    click.echo(click.style("error: ", fg="red") + text, err=True)
    sys.exit(code)
