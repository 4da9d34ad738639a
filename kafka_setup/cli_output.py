"""The output of win-event-kafka-setup: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

from kafka_setup import rows
from kafka_setup.topology.resources import Result

_STDERR = Console(stderr=True, highlight=False)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner with the text `what` on a terminal; nothing in a pipe."""
    with _STDERR.status(what) if _STDERR.is_terminal else nullcontext():
        yield


def summary(words: Iterable[str]) -> None:
    """Print how often each word occurs, in the order of first occurrence."""
    counts = Counter(words)
    say(", ".join(f"{count} {word}" for word, count in counts.items()) or "the topology is empty")


def report(results: list[Result], *, as_json: bool, untold: str = "") -> int:
    """Show the results and count them by status; those of the status `untold` are only counted in text."""
    show([each for each in results if as_json or each.status != untold], as_json=as_json)
    summary(result.status for result in results)
    return int(any(result.failed for result in results))


def show(results: Iterable[Result], *, as_json: bool, signs: bool = False) -> None:
    if as_json:
        click.echo(rows.as_json(results), nl=False)
    else:
        Console(highlight=False).print(rows.as_text(results, signs=signs), end="", soft_wrap=True)


def say(line: str) -> None:
    click.echo(line, err=True)


def say_waiting(reason: str) -> None:
    _STDERR.print(Text(f"waiting: {reason}", style="yellow"), soft_wrap=True)


def fail(text: str, code: int) -> NoReturn:
    click.echo(click.style("error: ", fg="red") + text, err=True)
    sys.exit(code)
