"""Alerts as values and as JSON, for people and for the topic `alerts`. Pure but for `wall_clock`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import orjson

from detection.correlation.correlator import Change, alert_id, short
from detection.matching.matcher import Hit
from detection.matching.rule_fields import ABSENT
from detection.matching.rule_set import Head
from producer.events.event_time import to_text


@dataclass(frozen=True)
class Alert:
    """One burst of a correlation, or one event of a rule. `first`, `last`: event times, empty if unknown.

    `count`: events in it so far. `record_ids`: "computer channel record-id" of at most 20 of them.
    `over`: it will not change any more. `new`: it was not reported before.
    `met`: the time, in ticks, of the deciding event. `detected_at`: when it was first reported, as text.
    `merged_into`: the alert that it became a part of, because of events out of order.
    """

    id: str
    head: Head = field(repr=False)
    group: dict[str, str]
    first: str
    last: str
    count: int
    record_ids: tuple[str, ...]
    met: int = 0
    over: bool = True
    new: bool = True
    merged_into: str | None = None
    detected_at: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "rule_id": self.head.key,
            "title": self.head.title,
            "level": self.head.level,
            "tags": list(self.head.tags),
            "group": self.group,
            "first": self.first or None,
            "last": self.last or None,
            "count": self.count,
            "record_ids": list(self.record_ids),
            "detected_at": self.detected_at or None,
            **({"merged_into": self.merged_into} if self.merged_into else {}),
        }

    @property
    def key(self) -> bytes:
        """The key of its record in Kafka: the rule and the group."""
        return orjson.dumps({"rule_id": self.head.key, "group": self.group})


def of_event(head: Head, identity: str, time: int | None, detected_at: str = "") -> Alert:
    """An alert for one event: its group is the event itself. `time` is in ticks."""
    moment = to_text(time) if time is not None else ""
    computer, _, record = identity.partition(" ")
    group = {"Computer": computer, "record": record}
    return Alert(
        id=alert_id(head.key, (identity,), moment),
        head=head,
        group=group,
        first=moment,
        last=moment,
        count=1,
        record_ids=(identity,),
        met=time or 0,
        detected_at=detected_at,
    )


def telling(changes: Iterable[Change], now: Callable[[], str]) -> Iterator[Alert]:
    """The alerts to report: new ones at once, others when their count has doubled and when they are over.

    Also one per timespan: after a restart, only the events of the last timespan are read again.
    """
    for change in changes:
        burst = change.burst
        new, waited = burst.told == 0, burst.last - burst.told_last >= change.correlation.span
        if new or change.over or waited or burst.count >= 2 * burst.told:
            burst.told, burst.told_last = burst.count, burst.last
            burst.detected = burst.detected or now()
            if change.correlation.head.alerts:
                yield of_burst(change, new)


def of_burst(change: Change, new: bool) -> Alert:
    burst = change.burst
    return Alert(
        id=change.alert_id,
        head=change.correlation.head,
        group=dict(zip(change.correlation.group_by, change.group, strict=True)),
        first=to_text(burst.first),
        last=to_text(burst.last),
        count=burst.count,
        record_ids=tuple(burst.evidence),
        met=burst.met,
        detected_at=burst.detected,
        over=change.over,
        new=new,
        merged_into=change.merged_into,
    )


def identity(hit: Hit) -> str:
    """ "computer channel record-id", which identifies an event; without a record id, a hash of its line."""
    parts = [hit.field(name) for name in ("Computer", "Channel", "EventRecordID")]
    if parts[2] is ABSENT or not parts[2]:
        parts[2] = f"line:{hashlib.sha256(hit.line.strip()).hexdigest()[:16]}"
    return " ".join("-" if part is ABSENT else short(part) for part in parts)


def wall_clock() -> str:
    """Now, in UTC, to the millisecond: the drivers pass it to the pure code that dates alerts."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
