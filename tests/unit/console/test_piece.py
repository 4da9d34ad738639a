"""A topic that is read in pieces is read as a whole, also if times are not in the order of offsets."""

from __future__ import annotations

from confluent_kafka import Message

from console.reading import piece
from console.reading.piece import Piece, cut

TIMES = {0: [30, 10, 40], 1: [20, 25], 2: []}
BOUNDS = {part: (0, len(times)) for part, times in TIMES.items()}


def _cut(starts: dict[int, int], limit: int, last: bool = False, size: int = 1) -> Piece:
    found = {
        part: [
            Message(topic="t", partition=part, offset=offset, timestamp=(1, time), value=b"x" * size)
            for offset, time in enumerate(TIMES[part])
            if offset >= start
        ]
        for part, start in starts.items()
    }
    return cut(BOUNDS, starts, found, limit, last)


def _places(found: Piece) -> list[tuple[int, int]]:
    return [(each.partition(), each.offset()) for each in found.messages]


def test_every_record_comes_once() -> None:
    starts = dict.fromkeys(TIMES, 0)
    pieces = []
    while starts != {0: 3, 1: 2, 2: 0}:
        found = _cut(starts, limit=2)
        pieces.append(_places(found))
        starts = found.following
    assert pieces == [[(1, 0), (1, 1)], [(0, 0), (0, 1)], [(0, 2)]]


def test_the_last_records_are_followed_by_what_comes_later() -> None:
    starts = dict.fromkeys(TIMES, 0)
    found = _cut(starts, limit=2, last=True)
    assert _places(found) == [(1, 1), (0, 2)]
    assert found.following == {0: 3, 1: 2, 2: 0}
    assert _places(_cut(starts, limit=4, last=True)) == [(0, 1), (1, 0), (1, 1), (0, 2)]
    only = _cut({0: 0, 1: 0}, limit=1, last=True)  # the older records of partition 1 are left out as well
    assert (_places(only), only.following) == ([(0, 2)], {0: 3, 1: 2})


def test_a_piece_is_bounded_and_has_a_record_that_is_larger(monkeypatch) -> None:
    monkeypatch.setattr(piece, "MAX_BYTES", 10)
    assert _places(_cut({0: 0, 1: 0}, 5, size=4)) == [(1, 0), (1, 1)]
    assert _places(_cut({0: 0, 1: 0}, 5, last=True, size=20)) == [(0, 2)]
