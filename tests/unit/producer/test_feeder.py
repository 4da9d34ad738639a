"""The feeder gives events the time of the clock, also after the clock is changed."""

from __future__ import annotations

import itertools
import threading
import time
from types import SimpleNamespace

import orjson
import pytest

from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings
from producer.log import feeder
from producer.log.generated import GeneratedEvents
from producer.log.load_control import LoadControl
from producer.log.pacing import make_schedule

HOUR = 3_600_000_000_000
NOON = 1_795_262_400_000_000_000  # 2026-11-21T12:00:00Z, ns


class Lines:
    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def append(self, data: bytes, *_: object) -> int:
        self.lines += data.splitlines()
        return 0

    def is_full(self) -> bool:
        return False


def test_a_clock_set_back_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = itertools.chain([NOON, NOON + HOUR], itertools.count(NOON, 1_000_000))
    monkeypatch.setattr(
        feeder, "time", SimpleNamespace(monotonic=time.monotonic, time_ns=lambda: next(readings))
    )
    sink = Lines()
    feeder.Feeder(
        GeneratedEvents(Generator(GeneratorSettings(hosts=1), NOON // 100), sink),
        LoadControl(1000.0),
        lambda rate: make_schedule(rate, "constant", 1, 0.0),
        count=200,
        stop=threading.Event(),
    ).run()
    hours = [orjson.loads(line)["timestamp"][11:13] for line in sink.lines]
    assert hours[0] in ("12", "13")
    assert "13" in hours
    assert hours[-1] == "12"
