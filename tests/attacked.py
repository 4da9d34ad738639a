"""Generated events with a known attack in them, and the same events moved in time."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import oracle

from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

Event = dict[str, Any]
SPRAYER = "203.0.113.9"


def lines(seed: int, count: int, start: datetime, fmt: str = "flat") -> list[bytes]:
    """Some minutes of five computers, with a brute force against one password from second 60 on."""
    settings = GeneratorSettings(
        seed=seed, hosts=5, host_rate=0.5, fmt=fmt, start_time=start, scenarios=("brute-force@60",)
    )
    return [event.line.rstrip(b"\n") for event in islice(generate(settings), count)]


def events(seed: int, count: int, start: datetime) -> list[Event]:
    """The lines as events, each with its bytes under "line"; the events of the spray are added."""
    found = [oracle.with_time(json.loads(line)) | {"line": line} for line in lines(seed, count, start)]
    return [*found, *spray(found)]


def spray(among: list[Event], accounts: int = 6) -> list[Event]:
    """Twelve failed logons from one address in 24 s, written by hand: they do not depend on the generator."""
    model = oracle.with_time(next(event for event in among if event["event_id"] == 4625))
    return [
        moved(
            model,
            number * 2_000,
            record_id=900_000 + number,
            data=model["data"] | {"IpAddress": SPRAYER, "TargetUserName": f"user{number % accounts}"},
        )
        for number in range(12)
    ]


def shared_logon_id(among: list[Event]) -> list[Event]:
    """Logons and logoffs on one computer with one logon id; many have the same time."""
    model = oracle.with_time(next(event for event in among if event["event_id"] == 4624))
    dice = random.Random(7)
    data = model["data"] | {"TargetLogonId": "0x3e7"}
    return [
        moved(
            model,
            dice.randrange(60) * 120_000,
            record_id=800_000 + number,
            event_id=dice.choice((4624, 4624, 4634, 4647)),
            data=data,
        )
        for number in range(80)
    ]


def moved(event: Event, milliseconds: int, **changes: Any) -> Event:
    """The same event, later by this time, with some fields changed."""
    other = {k: v for k, v in event.items() if k not in ("ms", "line")} | changes
    time = oracle._EPOCH + timedelta(milliseconds=event["ms"] + milliseconds)
    other["timestamp"] = f"{time:%Y-%m-%dT%H:%M:%S.%f}0Z"
    return oracle.with_time(other) | {"line": json.dumps(other, separators=(",", ":")).encode()}
