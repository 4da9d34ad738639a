"""Options that the bridge, analytics and detection have in common: each is declared once."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

import click

from kafka_setup.connection.options import option
from kafka_setup.defaults import EVENTS_TOPIC
from toolkit.options import FiniteFloat

Option = Callable[[Any], Any]


def version_option() -> Option:
    """The option --version; a Flink image has our files without the package that has the version."""
    try:
        version = metadata.version("win-event-bridge")
    except metadata.PackageNotFoundError:
        version = "unknown (win-event-bridge is not installed as a package here)"
    return click.version_option(version, prog_name="win-event-bridge")


def describe_option() -> Option:
    return option(
        "--describe",
        "WIN_EVENT_DESCRIBE",
        is_flag=True,
        help="Print the name of the job as JSON; submit nothing.",
    )


def checkpoint_option() -> Option:
    return option(
        "--checkpoint-interval",
        "WIN_EVENT_CHECKPOINT_INTERVAL",
        type=FiniteFloat(min=0.1),
        default=5.0,
        metavar="SECONDS",
        help="Time between two checkpoints.",
    )


def check_option(what: str) -> Option:
    """`what` is checked: the login, the topics."""
    return option(
        "--check/--no-check", "WIN_EVENT_CHECK", default=True, help=f"Check {what} before submitting."
    )


def job_name_option() -> Option:
    return option("--job-name", "WIN_EVENT_JOB_NAME", help="Name of the job in Flink's web UI.")


def parallelism_option(work: str) -> Option:
    """`work`: what a subtask does."""
    return option(
        "--parallelism",
        "WIN_EVENT_PARALLELISM",
        type=click.IntRange(1, 1024),
        help=f"Number of subtasks that {work}; at most one per partition is used. Default: Flink's.",
    )


def start_option(where: str) -> Option:
    return option(
        "--start-from",
        "WIN_EVENT_START_FROM",
        type=click.Choice(["earliest", "latest"]),
        default="earliest",
        help=where,
    )


def bounded_option() -> Option:
    return option(
        "--bounded/--unbounded",
        "WIN_EVENT_BOUNDED",
        default=False,
        help="Read the records that are in the topic now, close all windows, and end.",
    )


def events_topic_option() -> Option:
    return option("--kafka-topic", "KAFKA_TOPIC", default=EVENTS_TOPIC, help="Topic of the events.")


def idle_timeout_option(more: str = "") -> Option:
    """`more`: further sentences of the help."""
    return option(
        "--idle-timeout",
        "WIN_EVENT_IDLE_TIMEOUT",
        type=FiniteFloat(0.1, 86_400),
        default=60.0,
        metavar="SECONDS",
        help="A partition without events for this long does not delay the others. Make it longer than Kafka "
        f"may be away.{more}",
    )


def delivery_options(what: str, prefix: str) -> tuple[Option, ...]:
    """How `what` (records, answers) enters Kafka; `prefix` is the help of --transactional-id-prefix."""
    return (
        option(
            "--delivery-guarantee",
            "WIN_EVENT_DELIVERY_GUARANTEE",
            type=click.Choice(["at-least-once", "exactly-once"]),
            default="at-least-once",
            help=f"How {what} enter Kafka. exactly-once: read_committed readers see them at checkpoints.",
        ),
        option(
            "--transactional-id-prefix",
            "WIN_EVENT_TRANSACTIONAL_ID_PREFIX",
            metavar="PREFIX",
            help=prefix,
        ),
        option(
            "--transaction-timeout",
            "WIN_EVENT_TRANSACTION_TIMEOUT",
            type=click.IntRange(min=10),
            default=900,
            metavar="SECONDS",
            help=f"For exactly-once: a job that is down for longer loses its uncommitted {what}.",
        ),
    )
