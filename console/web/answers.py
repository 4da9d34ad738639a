"""Makes API answers from the data in memory. No I/O; the time is the parameter `now`."""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from confluent_kafka import Message

from console.cache.snapshot import Counts
from console.hub import Hub
from console.reading.piece import Piece
from console.reading.poller import Poller
from console.reading.records import Place
from console.state.event import Event, message
from console.state.recent import Rejected
from console.state.results import Row
from console.web import models
from kafka_setup.cluster_facts import ClusterFacts, TopicFacts

VALUE_BYTES = 65_536
_LINE_CHARACTERS = 16_384
_HEX_BYTES = 64
_TEXT_BYTES = 512


def status(hub: Hub, now: float) -> models.Status:
    producer = hub.producer.found.answer if hub.producer else None
    jobs = (hub.flink.found.answer if hub.flink else None) or []
    return models.Status(
        at=now,
        names=models.Names(**asdict(hub.settings.topics)),
        services=[
            kafka_service(hub),
            _service("flink", hub.flink),
            _service("producer", hub.producer),
            _service("cache", hub.cache_looks),
        ],
        producer=models.Producer(**asdict(producer)) if producer else None,
        jobs=[models.Job(**asdict(job)) for job in jobs],
        topics=topics(hub, now),
        groups=groups(hub),
        reading=_reading(hub),
    )


def kafka_service(hub: Hub) -> models.Service:
    return _service("kafka", hub.kafka)


def _service(
    name: Literal["kafka", "flink", "producer", "cache"], poller: Poller[Any] | None
) -> models.Service:
    if poller is None:
        return models.Service(name=name, state="off", problem=None, as_of=None)
    found = poller.found
    return models.Service(
        name=name, state="away" if found.problem else "up", problem=found.problem, as_of=found.at
    )


def topics(hub: Hub, now: float) -> list[models.Topic]:
    facts = hub.kafka.found.answer
    return [_topic(topic, hub.rates.get(topic.name, 0.0), now) for topic in facts.topics] if facts else []


def _topic(topic: TopicFacts, rate: float, now: float) -> models.Topic:
    return models.Topic(
        name=topic.name,
        partitions=len(topic.partitions),
        records=topic.records,
        written=topic.end,
        rate=round(rate, 1),
        newest_age=None if topic.newest is None else round(max(0.0, now - topic.newest), 3),
    )


def groups(hub: Hub) -> list[models.Group]:
    facts = hub.kafka.found.answer
    return (
        [models.Group(name=g.name, state=g.state, members=g.members, lag=g.lag) for g in facts.groups]
        if facts
        else []
    )


def _reading(hub: Hub) -> models.Reading:
    return models.Reading(
        since=hub.began,
        topics=sorted(hub.tail.followed),
        events=hub.events.last,
        skipped=hub.tail.skipped,
        max_rate=hub.settings.max_rate,
        problem=hub.tail.problem,
    )


def counts(hub: Hub) -> models.Counts:
    names = hub.settings.topics
    sums = hub.cache.counts() if hub.cache else Counts(hub.began, dict(hub.series.totals))
    return models.Counts(
        service=kafka_service(hub),
        since=sums.since,
        by_level=sums.by_level,
        skipped=hub.tail.skipped,
        rejected=_written(hub.kafka.found.answer, names.rejected),
        late=_written(hub.kafka.found.answer, names.late),
    )


def _written(facts: ClusterFacts | None, name: str) -> int | None:
    return next((topic.end for topic in facts.topics if topic.name == name), None) if facts else None


def rows(hub: Hub, names: tuple[str, ...], limit: int) -> models.Rows:
    if hub.cache:
        for name in names:
            hub.cache.answered(name)
    found = [row for name in names for row in hub.results.newest(name, limit)]
    if len(names) > 1:
        found.sort(key=lambda row: row.timestamp or 0.0, reverse=True)
    return models.Rows(
        service=kafka_service(hub),
        kept=sum(hub.results.count(name) for name in names),
        rows=[row_answer(row) for row in found[:limit]],
    )


def row_answer(row: Row) -> models.Row:
    return models.Row(**asdict(row))


def rejected(hub: Hub, limit: int, reason: str | None) -> models.RejectedLines:
    wanted = None if reason is None else lambda line: line.reason == reason
    lines = hub.rejected.newest(limit, wanted=wanted)
    return models.RejectedLines(service=kafka_service(hub), lines=[rejected_answer(line) for line in lines])


def rejected_answer(line: Rejected) -> models.RejectedLine:
    return models.RejectedLine(
        sequence=line.sequence,
        partition=line.partition,
        offset=line.offset,
        timestamp=line.timestamp,
        reason=line.reason,
        endpoint=line.endpoint,
        size=line.size,
        text=line.value[:_TEXT_BYTES].decode("utf-8", "replace"),
        hex=line.value[:_HEX_BYTES].hex(" "),
    )


def event_answer(event: Event) -> models.EventLine:
    return models.EventLine(
        sequence=event.sequence,
        partition=event.partition,
        offset=event.offset,
        arrived=event.arrived,
        time=event.time,
        level=event.level,
        source=event.source,
        event_id=event.event_id,
        computer=event.computer,
        message=message(event),
        line=event.value[:_LINE_CHARACTERS].decode("utf-8", "replace"),
    )


def records(topic: str, piece: Piece) -> models.Records:
    return models.Records(
        topic=topic,
        partitions=[
            models.Span(partition=part, start=start, end=end, next=piece.following[part])
            for part, (start, end) in sorted(piece.bounds.items())
        ],
        records=[_record(each) for each in piece.messages],
    )


def _record(message: Message) -> models.Record:
    value, key = message.value(), message.key()
    kind, milliseconds = message.timestamp()
    shown = None if value is None else value[:VALUE_BYTES]
    return models.Record(
        partition=message.partition(),
        offset=message.offset(),
        timestamp=milliseconds / 1000 if kind else None,
        key=None if key is None else _text(key),
        text=None if shown is None else _text(shown),
        base64=None if shown is None or _is_text(shown) else base64.b64encode(shown).decode(),
        size=len(value or b""),
        headers=[models.Header(name=name, value=_text(v or b"")) for name, v in message.headers() or ()],
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_place(text: str) -> Place:
    """Parse `latest`, `earliest`, an offset, or a time as ISO 8601 with a zone. Raises ValueError."""
    if text == "latest":
        return Place()
    if text == "earliest":
        return Place(offset=0)
    if text.isascii() and text.isdecimal() and int(text) < 2**63:
        return Place(offset=int(text))
    return Place(milliseconds=_milliseconds(text))


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone")
    return max(0, int(moment.timestamp() * 1000))
