"""--start-time as people and tools write it, and the word at start when event times outrun the clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import islice

import orjson
import pytest
from click.testing import CliRunner

from producer.cli import main
from producer.event_fields import TIMESTAMP_FIELDS
from producer.events.clock import parse_time
from producer.events.formats import FORMATS
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings, runs_ahead
from producer.events.line_rule import first_of

NOW = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T08:00:00Z", "2026-01-05T08:00:00.0000000Z", "2026-01-05 08:00:00", "2026-01-05T08:00:00",
        "2026-01-05T09:00:00+01:00", "2026-01-05T03:30:00.000-04:30",
        "2026-01-05T08:00:00,0z", " 2026-01-05T08:00Z", "2026-01-05 09:00:00 +0100", "2026-01-05T09:00+01",
        "2026-01-05 08:00:00.0000000 -0000", "2026-01-05T08:00:00 Z",
    ],
)  # fmt: skip
def test_every_spelling_is_the_same_moment(text: str) -> None:
    assert parse_time(text) == NOW


def test_digits_and_dates() -> None:
    assert parse_time("2026-11-21T09:28:24.1778590Z").microsecond == 177859
    assert parse_time("2026-01-05") == NOW - timedelta(hours=8)
    for wrong in ("yesterday", "2026-13-01", "08:00", "", "2026-01-05T08:00:00+1"):
        with pytest.raises(ValueError, match="is not a time"):
            parse_time(wrong)


@pytest.mark.parametrize("fmt", FORMATS)
def test_what_the_tools_write_is_taken(fmt: str) -> None:
    (event,) = islice(generate(GeneratorSettings(fmt=fmt, start_time=NOW)), 1)
    text = first_of(orjson.loads(event.line), TIMESTAMP_FIELDS)
    assert text is not None
    assert timedelta(0) <= parse_time(text) - NOW < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--start-time", "0001-01-01T00:00:00+14:00"), ("--start-time", "9999-12-31T23:59:59-14:00"),
        ("--start-time", "0999-12-31"), ("--start-time", "9999-12-31"), ("--backfill", "999999d"),
        ("--backfill", "99999999999999999999d"), ("--channel-mix", "nan/1/1"), ("--channel-mix", "inf/1/1"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_time_or_a_share_is_refused_by_name(option: str, value: str) -> None:
    result = CliRunner().invoke(main, ["--stdout", "--count", "1", option, value])
    assert result.exit_code == 2, result.output
    assert f"Invalid value for '{option}'" in result.output


@pytest.mark.parametrize(
    ("start", "rate", "count", "ahead"),
    [
        (NOW, 100.0, None, "at once"),  # 10 hosts × 1.6 = 16 events per second of event time
        (NOW, 16.0, None, ""),
        (None, 1e6, None, ""),
        (NOW - timedelta(hours=1), 32.0, None, "after 115,200 events (3,600 s)"),
        (NOW - timedelta(hours=1), 32.0, 100_000, ""),
        (NOW - timedelta(days=1), None, 1000, ""),
        (NOW - timedelta(hours=1), None, 60_000, "after 57,600 events"),
        (NOW + timedelta(hours=1), 1.0, 10, "at once"),
    ],
)
def test_whoever_outruns_the_clock_is_told_when_and_what_to_set(start, rate, count, ahead: str) -> None:
    told = runs_ahead(GeneratorSettings(start_time=start), rate, count, NOW)
    assert bool(told) == bool(ahead)
    assert ahead in told
    assert not told or "--host-rate" in told
