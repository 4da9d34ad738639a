"""Every tool knows the shape of an event by one rule, and finds who wrote it where that shape says so."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from consumer.events.event_view import view
from consumer.events.identity import identify_any
from detection.matching.rule_fields import rule_shape
from producer.event_shapes import PATHS, shape_of
from producer.events.formats import FORMATS
from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings

_SYSTEM = {
    "TimeCreated": {"#attributes": {"SystemTime": "2026-01-05T20:00:00.1234567Z"}}, "Level": 0,
    "Channel": "Security", "EventID": 4625, "EventRecordID": 17, "Computer": "WS-1",
    "Keywords": "0x8010000000000000",
}  # fmt: skip


@pytest.mark.parametrize("fmt", FORMATS)
def test_generated_events_have_the_shape_that_was_asked_for(fmt: str) -> None:
    lines = Generator(GeneratorSettings(seed=1, fmt=fmt)).take(500, step=1).data().splitlines()
    assert {shape_of(orjson.loads(line)) for line in lines} == {fmt}


@pytest.mark.parametrize(
    ("event", "shape"),
    [
        ({"event_id": 1}, "flat"),
        ({"record_id": 1, "EventID": 1}, "flat"),
        ({"winlog": {}}, "winlogbeat"),
        ({"winlog": {}, "event_id": 1}, "winlogbeat"),
        ({"Event": {}}, "evtx_dump"),
        ({"StringInserts": [], "EventID": 1}, "winevtlog"),
        ({"EventRecordID": 1, "EventID": 1}, "winevtlog"),
        ({"EventID": 1}, "nxlog"),
        ({"RecordNumber": 1}, "nxlog"),
        ({"message": "no event"}, None),
    ],
)
def test_a_shape_is_known_by_its_fields(event: dict[str, Any], shape: str | None) -> None:
    assert shape_of(event) == shape
    known = rule_shape(event)
    assert (known.name if known else None) == shape


def test_detection_knows_every_shape() -> None:
    assert {known.name for name in PATHS if (known := rule_shape(_one_of(name)))} == set(PATHS)


def _one_of(shape: str) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for path in PATHS[shape].values():
        inner = event
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
        inner.setdefault(path[-1], "1")
    return event


def test_an_event_of_evtx_dump_is_identified_and_its_failure_is_shown() -> None:
    line = orjson.dumps({"Event": {"System": _SYSTEM}})
    assert identify_any(line) == (b"WS-1", b"Security", 17, b"2026-01-05T20:00:00.1234567Z")
    shown = view(line)
    assert shown is not None
    assert (shown.event_type, shown.failed) == ("Audit Failure", True)


def test_fluent_bits_older_input_shows_its_record_number() -> None:
    shown = view(
        orjson.dumps({"EventID": 4625, "RecordNumber": 401, "StringInserts": [], "ComputerName": "S"})
    )
    assert shown is not None
    assert (shown.record_id, shown.computer) == (401, "S")
