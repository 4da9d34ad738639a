"""Cuts the records of a request out of those that were read, so that the next request can go on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from itertools import accumulate, chain, islice
from operator import itemgetter

from confluent_kafka import Message

MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Piece:
    """The records that were read for one request.

    `bounds`: start and end of the partitions; `following`: where the next piece begins. `messages` are in
    the order of their time, but those of a partition in the order of their offsets.
    """

    bounds: dict[int, tuple[int, int]]
    following: dict[int, int]
    messages: list[Message]


def cut(
    bounds: dict[int, tuple[int, int]],
    starts: dict[int, int],
    found: dict[int, list[Message]],
    limit: int,
    last: bool,
) -> Piece:
    """At most `limit` records and MAX_BYTES of what was `found` from `starts` on, the first or the last."""
    messages = _choose(found, limit, last)
    passed = chain.from_iterable(found.values()) if last else messages
    return Piece(bounds, starts | {each.partition(): each.offset() + 1 for each in passed}, messages)


def _choose(found: dict[int, list[Message]], limit: int, last: bool) -> list[Message]:
    """The first or the last messages by time, at most as many as requested.

    Each partition gives its first or its last ones without a gap, also if their times are not in the order
    of their offsets: otherwise the next piece could not say where it begins.
    """
    step, furthest = (-1, min) if last else (1, max)
    ordered = [messages[::step] for _, messages in sorted(found.items(), reverse=last)]
    timed = [
        zip(accumulate((m.timestamp()[1] for m in messages), furthest), messages, strict=True)
        for messages in ordered
    ]
    kept: list[Message] = []
    size = 0
    for _, message in islice(merge(*timed, key=itemgetter(0), reverse=last), limit):
        size += len(message.value() or b"")
        if kept and size > MAX_BYTES:
            break
        kept.append(message)
    return kept[::step]
