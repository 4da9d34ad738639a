"""Options that the command line and the Flink job share: rules, and how far windows reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from detection.matching.rule_files import RULE_LEVELS
from flink_bridge.job_options_cli import bounded_option, start_option
from kafka_setup.connection.options import option
from kafka_setup.defaults import ALERTS_TOPIC, DETECTION_GROUP
from toolkit.options import FiniteFloat

_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def group_option(use: str) -> Callable[[Any], Any]:
    """`use`: its help."""
    return option("--group", "WIN_EVENT_DETECTION_GROUP", default=DETECTION_GROUP, metavar="NAME", help=use)


RULE_OPTIONS = (
    option(
        "--rules", "WIN_EVENT_RULES", multiple=True, type=_PATH, metavar="DIR|FILE", show_default="our own",
        help="File or folder of Sigma rules, with all .yml files below it; repeat it.",
    ),
    option(
        "--pipeline", "WIN_EVENT_PIPELINE", multiple=True, type=_FILE, metavar="FILE",
        help="A processing pipeline of pySigma for field names and placeholders; repeat it.",
    ),
)  # fmt: skip
LATENESS_OPTIONS = (
    option(
        "--max-lateness", "WIN_EVENT_MAX_LATENESS", type=FiniteFloat(0, 86_400), default=60.0,
        metavar="SECONDS",
        help="How far events may be out of order. Later events are counted, but correlations ignore them. "
        "Memory: at most rate × (timespan + this) events of about 200 bytes, and 1.4 KB per group; with "
        "several files, of all events until the last file is open.",
    ),
)  # fmt: skip

WINDOW_OPTIONS = (
    option(
        "--max-window", "WIN_EVENT_MAX_WINDOW", type=click.IntRange(10), default=100_000, metavar="EVENTS",
        help="Largest number of events in one group of a correlation; the oldest are dropped and counted.",
    ),
)  # fmt: skip

GROUP_OPTIONS = (  # not on Flink, where each group has a state of its own
    option(
        "--max-groups", "WIN_EVENT_MAX_GROUPS", type=click.IntRange(1), default=100_000, metavar="GROUPS",
        help="Largest number of groups of one correlation; the oldest are dropped and counted.",
    ),
)  # fmt: skip


def options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for each in reversed([one for group in groups for one in group]):
            command = each(command)
        return command

    return add


OUTPUT_OPTIONS = (
    option(
        "--output", "WIN_EVENT_OUTPUT", type=click.Choice(["pretty", "json"]),
        show_default="pretty on a terminal", help="json: one alert per line, written when it is over.",
    ),
    option(
        "--min-level", "WIN_EVENT_MIN_LEVEL", type=click.Choice(RULE_LEVELS), default="low",
        help="Alerts of lower levels are only counted. Correlations still use every hit.",
    ),
    click.option("--fail-on-alert", is_flag=True, help="Exit with code 1 if there was an alert."),
    option(
        "--watch", "WIN_EVENT_WATCH", is_flag=True, default=False,
        help="Load rules again when a file has changed; SIGHUP does it at once.",
    ),
)  # fmt: skip
TOPIC_OPTIONS = (
    option(
        "--topic", "WIN_EVENT_TOPIC", metavar="NAME",
        help="Read this topic instead of files, until the command is stopped. The next run with the same "
        "group continues there, with the same state.",
    ),
    option(
        "--alerts-topic", "WIN_EVENT_ALERTS_TOPIC", default=ALERTS_TOPIC, metavar="NAME",
        help="With --topic: topic for the alerts of every level; - for none.",
    ),
    group_option("Consumer group that stores the positions."),
    start_option("Where to begin if the group has no positions yet."),
    bounded_option(),
)  # fmt: skip
