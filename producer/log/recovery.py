"""Reads back the tail of a recovered log: where ids continue, and what the ledger has not heard of. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from producer.events.formats import identify
from producer.log.log_directory import RecordIds, Segment


class RecoveredEvent(NamedTuple):
    """An event of the log's last segment; `line` without LF."""

    computer: str
    source: str
    record_id: int
    line: bytes


def events_of(segment: Segment, fmt: str) -> Iterator[RecoveredEvent]:
    """The generated events of a segment; lines of other origin (POST /events) are left out.

    They are told apart by their ids: a generated one continues its sequence.
    """
    last = dict(segment.record_ids)
    for line in bytes(segment.data).splitlines():
        identity = identify(orjson.loads(line), fmt)
        if identity and identity[2] == last.get(identity[:2], 0) + 1:
            last[identity[:2]] = identity[2]
            yield RecoveredEvent(*identity, line)


def last_record_ids(segment: Segment, fmt: str) -> RecordIds:
    """The last id of every sequence at the end of the log, whose last segment this is."""
    last = dict(segment.record_ids)
    for event in events_of(segment, fmt):
        last[event.computer, event.source] = event.record_id
    return last
