"""Parses options that describe a run; the producer and win-event-verify share them."""

from __future__ import annotations

import re
from datetime import datetime
from math import inf

import click

from producer.events.catalogue.event_catalogue import CHANNELS
from producer.events.clock import parse_time

_LONGEST = 36_500 * 86400  # seconds: a hundred years


def moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    try:
        return parse_time(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value)
    if not match:
        raise click.BadParameter(f"{value!r} is not a duration; write 90s, 30m, 24h or 7d")
    duration = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    if duration > _LONGEST:
        raise click.BadParameter(f"{value} is longer than {_LONGEST // 86400}d")
    return duration


def shares(_ctx: click.Context, _param: click.Parameter, value: str) -> dict[str, float]:
    try:
        given = [float(share) for share in value.split("/")]
    except ValueError:
        given = []
    if len(given) != len(CHANNELS) or min(given) < 0 or not 0 < sum(given) < inf:
        raise click.BadParameter(f"{value!r} is not three shares as in 85/9/6")
    return dict(zip(CHANNELS, given, strict=True))
