"""The common part of the jobs' command lines: how a job is submitted."""

from __future__ import annotations

import atexit
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import click

from kafka_setup.connection.jaas import JaasError
from kafka_setup.connection.settings import REQUEST_TIMEOUT, servers_of
from toolkit.extras import needed
from toolkit.waiting import after_silence

SILENCE = 5.0  # seconds without an answer, after which the user is told what is waited for


def flink_needed() -> AbstractContextManager[None]:
    """Around the first import of modules that load Flink: without the extra, the job ends and names it."""
    return needed("job.py", "bridge", "pyflink", "py4j", "find_libpython")


@contextmanager
def submitting(name: str, classes: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Load our classes; yields the prefix of Kafka's classes (preflight.class_prefix) and our jar NAME."""
    # These load Flink: --help and usage errors need not wait for it.
    from flink_bridge.jvm.classes import load_classes
    from flink_bridge.kafka.preflight import PreflightError, class_prefix

    folder = tempfile.TemporaryDirectory(prefix="win-event-job-")
    # Not sooner: the JVM opens every jar that it has loaded whenever Flink looks for formats.
    atexit.register(folder.cleanup)
    with told(JaasError, PreflightError):
        jar = Path(folder.name) / f"win-event-{name}.jar"
        prefix = class_prefix()
        load_classes(jar, prefix, classes)
        yield prefix, jar


@contextmanager
def told(*refusals: type[Exception]) -> Iterator[None]:
    """End the program with exit code 1 and a message after one of these errors; after Ctrl-C with 130."""
    try:
        yield
    except refusals as error:
        click.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def waiting_for_kafka(bootstrap_servers: str, silence: float = SILENCE) -> AbstractContextManager[None]:
    """Tell the user what is waited for if a check takes longer than `silence` seconds."""
    return after_silence(silence, lambda: click.echo(_no_answer(bootstrap_servers), err=True))


def _no_answer(bootstrap_servers: str) -> str:
    """A message for the user who waits; it says why no server accepts a connection, if none does."""
    reason = ""
    for server, host, port in servers_of(bootstrap_servers):
        try:
            # Short, because it only words this message, while the check itself waits longer.
            socket.create_connection((host, port), timeout=2).close()
        except OSError as error:
            reason = f" ({server}: {error.strerror or error})"
        else:
            reason = ""
            break
    return f"Kafka at {bootstrap_servers} has not answered yet{reason}; waiting up to {REQUEST_TIMEOUT:.0f} s"


def print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(note, err=True)
