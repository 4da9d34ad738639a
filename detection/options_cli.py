"""Options that the command line and the Flink job share: rules, and how far windows reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from detection.matching.rule_set import LEVELS
from kafka_setup.connection.options import option

_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


RULE_OPTIONS = (
    option(
        "--rules", "WIN_EVENT_RULES", multiple=True, type=_PATH, metavar="DIR|FILE", show_default="our own",
        help="Sigma rules: every .yml below; repeat it.",
    ),
    option(
        "--pipeline", "WIN_EVENT_PIPELINE", multiple=True, type=_FILE, metavar="FILE",
        help="A processing pipeline of pySigma for field names and placeholders; repeat it.",
    ),
)  # fmt: skip
DETECTION_OPTIONS = (
    option(
        "--max-lateness", "WIN_EVENT_MAX_LATENESS", type=click.FloatRange(0, 86_400), default=60.0,
        metavar="SECONDS",
        help="How far events may be out of order. Correlations pass over what is later, and count it. "
        "They hold rate × (timespan + this) events, about 150 bytes each.",
    ),
    option(
        "--max-window", "WIN_EVENT_MAX_WINDOW", type=click.IntRange(10), default=100_000, metavar="EVENTS",
        help="Events that one group of a correlation holds at most; the oldest go, and are counted.",
    ),
    option(
        "--max-groups", "WIN_EVENT_MAX_GROUPS", type=click.IntRange(1), default=100_000, metavar="GROUPS",
        help="Groups that one correlation holds at most; the oldest go, and are counted.",
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
        show_default="pretty on a terminal", help="json: one alert a line, as it ends.",
    ),
    option(
        "--min-level", "WIN_EVENT_MIN_LEVEL", type=click.Choice(LEVELS), default="low",
        help="Alerts of lower levels are counted only. Correlations see every hit.",
    ),
    click.option("--fail-on-alert", is_flag=True, help="Exit with 1 when there was an alert."),
    option(
        "--watch", "WIN_EVENT_WATCH", is_flag=True, default=False,
        help="Load rules that have changed; SIGHUP does it at once.",
    ),
)  # fmt: skip
TOPIC_OPTIONS = (
    option(
        "--topic", "WIN_EVENT_TOPIC", metavar="NAME",
        help="Events of this topic instead of files, until it is stopped. The next run of the same "
        "group goes on there, with the state it had.",
    ),
    option(
        "--alerts-topic", "WIN_EVENT_ALERTS_TOPIC", default="alerts", metavar="NAME",
        help="With --topic: where alerts of every level go; - for nowhere.",
    ),
    option(
        "--group", "WIN_EVENT_DETECTION_GROUP", default="win-event-detection", metavar="NAME",
        help="Consumer group that keeps the positions.",
    ),
    option(
        "--start-from", "WIN_EVENT_START_FROM", type=click.Choice(["earliest", "latest"]), default="earliest",
        help="Where a group without positions begins.",
    ),
    option(
        "--bounded/--unbounded", "WIN_EVENT_BOUNDED", default=False,
        help="Read what is in the topic now, close all windows, and end.",
    ),
)  # fmt: skip
