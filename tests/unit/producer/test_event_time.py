"""The forms of times: the examples that hold for every parser here, and the same events at another time."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path

import pytest
from conformance.cases import TIMESTAMPS, TimestampCase
from examples import ALL

from producer.event_fields import TIMESTAMP_FIELDS
from producer.events.event_time import read_time, time_of
from producer.events.formats import FORMATS
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings
from producer.events.line_rule import first_of, parse_object
from producer.files.moved_times import at_another_time

LOGGERS = Path(__file__).resolve().parents[1] / "flink_bridge" / "loggers"
KIND = re.compile(rb'"event_?id":"?(\d+)', re.IGNORECASE)
WITHOUT_YEAR = re.compile(r"[A-Z][a-z]{2} ")


def told(case: TimestampCase) -> bool:
    return case.milliseconds is not None and not WITHOUT_YEAR.match(str(case.text))


@pytest.mark.parametrize("case", TIMESTAMPS, ids=[str(case.text) for case in TIMESTAMPS])
def test_every_example(case: TimestampCase) -> None:
    text = case.text if isinstance(case.text, str) else json.dumps(case.text)
    found = read_time(text)
    if told(case):
        assert found is not None
        assert abs(found * 1000 - case.milliseconds) < 1.001
    elif case.milliseconds is None:
        assert found is None


@pytest.mark.parametrize("case", [c for c in TIMESTAMPS if told(c)], ids=lambda c: str(c.text))
@pytest.mark.parametrize("seconds", [0, 1, -3_700, 86_400 * 400 + 60 * 61])
def test_every_form_is_moved_and_keeps_its_form(case: TimestampCase, seconds: int) -> None:
    event = {"computer": "A", "timestamp": case.text, "n": 12345678901}
    line = json.dumps(event).encode()
    own = case.text if isinstance(case.text, str) else json.dumps(case.text)
    moved = json.loads(at_another_time(line, seconds, own))
    text = moved["timestamp"] if isinstance(moved["timestamp"], str) else json.dumps(moved["timestamp"])
    before, after = read_time(own), read_time(text)
    if own.startswith("9999") and seconds > 0:
        assert text == own
        return
    wanted = seconds // 60 * 60 if re.search(r"T?\d\d:\d\dZ?$", own) and own.count(":") == 1 else seconds
    assert after - before == pytest.approx(wanted, abs=1e-3)
    assert moved["n"] == 12345678901
    if seconds == 0 and "60Z" not in own and "24:00" not in own:
        assert text == own


@pytest.mark.parametrize("fmt", FORMATS)
def test_generated_events_are_moved_as_a_whole(fmt: str) -> None:
    """A run that starts so much later has the same bytes as one that was moved by as much.

    Of 3,000 lines, this compares the first ten of each event id, because the others have the same form, and
    nightly all.
    """
    most = 3000 if ALL else 10
    begin, days = datetime(2020, 2, 27, 22, tzinfo=timezone.utc), 366 * 3
    early = islice(generate(GeneratorSettings(fmt=fmt, start_time=begin)), 3000)
    late = islice(generate(GeneratorSettings(fmt=fmt, start_time=begin + timedelta(days=days))), 3000)
    seen = Counter[bytes]()
    for old, new in zip(early, late, strict=True):
        event_id = KIND.search(old.line)[1]
        seen[event_id] += 1
        assert seen[event_id] > most or at_another_time(old.line, days * 86_400) == new.line
    assert len(seen) > 30


@pytest.mark.parametrize("file", sorted(LOGGERS.glob("*.ndjson")), ids=lambda file: file.stem)
def test_lines_of_real_loggers_have_a_time_that_moves(file: Path) -> None:
    for line in file.read_bytes().splitlines():
        event = parse_object(line)
        assert event is not None
        if first_of(event, TIMESTAMP_FIELDS) is None:  # none of the fields that are looked at by default
            continue
        before = time_of(event)
        assert before is not None
        after = time_of(parse_object(at_another_time(line, 1000)))
        assert after - before == pytest.approx(1000, abs=1e-3)


def test_what_only_looks_like_a_time_stays() -> None:
    for line in (
        b'{"version":"10.0.19041.1","guid":"2019-05-08","path":"C:\\\\a\\\\2019-99-99 10:00:00"}',
        b'{"n":123456789012345678901,"ip":"10:00:00"}',
    ):
        assert at_another_time(line, 12345) == line
