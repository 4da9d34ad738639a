"""What all jobs have at the command line: --version, --describe, and how each is submitted or refused."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from kafka_setup.connection.jaas import JaasError
from kafka_setup.connection.options import option


def version_option() -> Callable[[Any], Any]:
    """A Flink image carries the files without the package."""
    try:
        version = metadata.version("win-event-bridge")
    except metadata.PackageNotFoundError:
        version = "unknown (win-event-bridge is not installed as a package here)"
    return click.version_option(version, prog_name="win-event-bridge")


def describe_option() -> Callable[[Any], Any]:
    return option(
        "--describe",
        "WIN_EVENT_DESCRIBE",
        is_flag=True,
        help="Print the name of the job as JSON; submit nothing.",
    )


@contextmanager
def submitting(name: str, classes: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The prefix of Kafka's classes (preflight.class_prefix), and a jar NAME with ours, which are loaded."""
    # These load Flink: --help and usage errors need not wait for it.
    from flink_bridge.jvm.classes import load_classes
    from flink_bridge.kafka.preflight import PreflightError, class_prefix

    with told(JaasError, PreflightError), tempfile.TemporaryDirectory(prefix="win-event-job-") as folder:
        jar = Path(folder) / f"win-event-{name}.jar"
        prefix = class_prefix()
        load_classes(jar, prefix, classes)
        yield prefix, jar


@contextmanager
def told(*refusals: type[Exception]) -> Iterator[None]:
    """Such an error ends the program with exit code 1, Ctrl-C with 130."""
    try:
        yield
    except refusals as error:
        click.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(note, err=True)
