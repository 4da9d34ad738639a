"""Runs of the producer, kinds of damage to their records, and the results that an audit must have.

The model counts in the simplest way, by looking at the finished heap of records. It uses no code of the
audit, except the rule for valid lines.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import islice
from typing import NamedTuple

import orjson

from consumer.events.identity import Identity, identify_damaged
from consumer.verify.audit.records import Place, Record, RejectedLine
from consumer.verify.audit.report import Unread
from consumer.verify.expected.seed import Seed
from producer.event_fields import KEY_FIELDS
from producer.events.event_time import to_milliseconds
from producer.events.formats import identify
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings
from producer.events.line_rule import first_of, parse_object, read_line
from producer.log.ledger import POSTED, LedgerBlock, LedgerEnd, LedgerHeader, line_digest

SHAPES = ("flat", "winlogbeat", "nxlog", "winevtlog")
PARTITIONS = 3
_COUNT = 60
_BEGIN = datetime(2026, 11, 21, tzinfo=timezone.utc)
_FOREIGN = b'{"Event":{"System":{"EventRecordID":7,"Computer":"WS-9","Channel":"System"}}}'


class Event(NamedTuple):
    """One event as it was produced. Posted ones have no computer of ours: ("", "posted", number)."""

    run: int
    computer: str
    channel: str
    number: int
    line: bytes
    key: bytes

    @property
    def posted(self) -> bool:
        return (self.computer, self.channel) == POSTED


@dataclass(frozen=True)
class MadeRun:
    """`entries`: the ledger's lines behind its header."""

    events: tuple[Event, ...]
    header: bytes
    entries: tuple[bytes, ...]
    earliest_ms: int


@cache
def made(shape: str, run: int) -> MadeRun:
    """The n-th run of this shape: the same computers and ids as any other, other events, a day later."""
    begin = _BEGIN + timedelta(days=run)
    settings = GeneratorSettings(seed=20 + run, hosts=3, fmt=shape, start_time=begin)
    events = []
    for event in islice(generate(settings), _COUNT):
        computer, channel, number = identify(orjson.loads(event.line), shape) or ("", "", 0)
        events.append(Event(run, computer, channel, number, event.line[:-1], computer.encode()))
    blocks = [block.encode() for block in _small(Seed(settings, _COUNT).blocks(lambda done: None))]
    for number in (1, 2, 3):
        line = b'{"computer":"POSTED","run":%d,"note":"posted %d"}' % (
            run,
            min(number, 2),
        )  # the third is the second
        events.insert(20 * number, Event(run, *POSTED, number, line, b"POSTED"))
        blocks.append(LedgerBlock(*POSTED, number, number, line_digest(line)).encode())
    header = LedgerHeader(f"log-{run}", settings.seed, shape, None, begin.isoformat(), settings.as_json())
    earliest = int((begin - timedelta(seconds=2)).timestamp() * 1000)
    return MadeRun(tuple(events), header.encode(), tuple(blocks), earliest)


def _small(blocks: Iterator[LedgerBlock]) -> Iterator[LedgerBlock]:
    """The ledger of the run, in blocks of seven events."""
    for block in blocks:
        for first in range(block.first, block.last + 1, 7):
            last = min(first + 6, block.last)
            hashes = block.hashes[8 * (first - block.first) : 8 * (last - block.first + 1)]
            yield replace(block, first=first, last=last, hashes=hashes)


class Item(NamedTuple):
    """A record of the topic before it has a partition."""

    value: bytes
    key: bytes | None


@dataclass
class Pipeline:
    """The records that arrived in both topics. Every method does one kind of damage, at random places."""

    runs: tuple[MadeRun, ...]
    dice: random.Random
    topic: list[Item] = field(default_factory=list)
    rejected: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.topic = [Item(event.line, event.key) for run in self.runs for event in run.events]

    def _place(self) -> int:
        return self.dice.randrange(len(self.topic))

    def lose(self) -> None:
        del self.topic[self._place()]

    def lose_the_end(self) -> None:
        del self.topic[-self.dice.randrange(1, 20) :]

    def double(self) -> None:
        place = self._place()
        self.topic.insert(self.dice.randrange(place, len(self.topic) + 1), self.topic[place])

    def replay(self) -> None:
        begin = self._place()
        end = self.dice.randrange(begin, min(begin + 30, len(self.topic))) + 1
        self.topic[end:end] = self.topic[begin:end]

    def swap(self) -> None:
        first, second = self._place(), self._place()
        self.topic[first], self.topic[second] = self.topic[second], self.topic[first]

    def delay(self) -> None:
        place = self._place()
        self.topic.insert(self.dice.randrange(place, len(self.topic)), self.topic.pop(place))

    def reject(self) -> None:
        self.rejected.append(self.topic.pop(self._place()).value)

    def reject_a_copy(self) -> None:
        self.rejected.append(self.topic[self._place()].value)

    def reject_again(self) -> None:
        self.rejected += self.rejected[-1:]

    def change_a_byte(self) -> None:
        place = self._place()
        value = bytearray(self.topic[place].value)
        at = self.dice.randrange(len(value))
        value[at] = (value[at] + self.dice.randrange(1, 256)) % 256
        self.topic[place] = self.topic[place]._replace(value=bytes(value))

    def change_a_letter(self) -> None:
        """The line stays whole JSON more often than not."""
        place = self._place()
        value = bytearray(self.topic[place].value)
        at = self.dice.randrange(len(value))
        if chr(value[at]).isalnum():
            value[at] = ord(self.dice.choice("0123456789") if chr(value[at]).isdigit() else "x")
        self.topic[place] = self.topic[place]._replace(value=bytes(value))

    def tear(self) -> None:
        place = self._place()
        value = self.topic[place].value
        self.topic[place] = self.topic[place]._replace(value=value[: self.dice.randrange(1, len(value))])

    def take_the_key(self) -> None:
        place = self._place()
        self.topic[place] = self.topic[place]._replace(key=None)

    def give_another_key(self) -> None:
        place = self._place()
        self.topic[place] = self.topic[place]._replace(key=b"elsewhere")

    def slip_in(self) -> None:
        value = self.dice.choice(
            (
                b"garbage",
                b"[1]",
                b'{"no":"key"}',
                _FOREIGN,
                b"[" * 1100 + b"]" * 1100,
                b'{"computer":"\\ud800"}',
            )
        )
        key = first_of(parse_object(value) or {}, KEY_FIELDS)
        self.topic.insert(self._place(), Item(value, key.encode() if key else b"?"))

    def earlier_run(self) -> None:
        """An event that was there before any of these runs began."""
        event = made(_shape_of(self.runs[0]), -1).events[self.dice.randrange(10)]
        self.topic.insert(self._place(), Item(event.line, event.key))

    def records(self) -> list[Record]:
        """The records as a reader gets them: in pieces, each of one partition and in its order."""
        partitions: dict[int, list[Record]] = defaultdict(list)
        for value, key in self.topic:
            computer = _computer(value) or (key or b"").decode(errors="replace")
            partition = sum(computer.encode()) % PARTITIONS
            partitions[partition].append((value, key, partition, len(partitions[partition]), 0))
        found: list[Record] = []
        while partitions:
            partition = self.dice.choice(sorted(partitions))
            size = self.dice.randrange(1, 25)
            found += partitions[partition][:size]
            del partitions[partition][:size]
            if not partitions[partition]:
                del partitions[partition]
        return found


HAPPENINGS: tuple[Callable[[Pipeline], None], ...] = (
    Pipeline.lose, Pipeline.lose_the_end, Pipeline.double, Pipeline.replay, Pipeline.swap, Pipeline.delay,
    Pipeline.reject, Pipeline.reject_a_copy, Pipeline.reject_again, Pipeline.change_a_byte,
    Pipeline.change_a_letter, Pipeline.tear, Pipeline.take_the_key, Pipeline.give_another_key,
    Pipeline.slip_in, Pipeline.earlier_run,
)  # fmt: skip


class Heap:
    """The records as a source that an audit reads, in batches."""

    name, follows = "topic", False

    def __init__(self, records: list[Record], rejected: list[bytes], batch: int) -> None:
        self._records, self._rejected, self._batch = records, rejected, batch
        self.done, self.total = 0, len(records)

    def batches(self) -> Iterator[list[Record]]:
        for begin in range(0, len(self._records), self._batch):
            yield self._records[begin : begin + self._batch]

    def rejected(self) -> Iterator[list[RejectedLine]]:
        yield [RejectedLine(line, "too-long", "a:1", 0, at, 0) for at, line in enumerate(self._rejected)]

    def place(self, partition: int | None, offset: int) -> Place:
        return Place(self.name, partition, offset)

    def unread(self) -> tuple[Unread, ...]:
        return ()

    def close(self) -> None:
        """Does nothing: nothing is open."""


def judged(
    runs: tuple[MadeRun, ...], records: list[Record], rejected: list[bytes], over: bool
) -> Counter[str]:
    """What an audit must count. `over`: every run has ended, so nothing is unseen."""
    model = _Model(runs)
    for value, key, partition, _, _ in records:
        model.take(value, key, partition)
    for value in rejected:
        model.take_rejected(value)
    return model.counts(over)


class _Model:
    def __init__(self, runs: tuple[MadeRun, ...]) -> None:
        self._runs = runs
        self._by_line: dict[bytes, list[Event]] = defaultdict(list)
        self._ids: dict[tuple[str, str, int], list[Event]] = defaultdict(list)
        for run in runs:
            for event in run.events:
                self._by_line[event.line].append(event)
                self._ids[event.computer, event.channel.lower(), event.number].append(event)
        self._copies: Counter[Event] = Counter()
        self._damaged: Counter[tuple[str, str, int]] = Counter()
        self._only_rejected: set[Event] = set()
        self._highest: dict[tuple[object, ...], int] = {}
        self._latest: dict[tuple[object, ...], str] = {}
        self._found: Counter[str] = Counter()

    def take(self, value: bytes, key: bytes | None, partition: int | None) -> None:
        if value in self._by_line:
            event = self._next_copy(value)
            if not self._copies[event] and not event.posted:
                self._found["reordered"] += self._is_late(event, partition)
            self._copies[event] += 1
            self._found["corrupt"] += key != event.key
            return
        identity = identify_damaged(value)
        line = read_line(value)
        name = _name(identity) if identity else None
        known = name in self._ids
        if line.reason is not None:
            self._found["corrupt"] += 1
        elif name is None:
            self._found["unknown_shape"] += 1
            self._found["corrupt"] += key != (line.key or "").encode()
            return
        elif identity and self._is_earlier(identity[3]):
            self._found["other_run"] += 1
            return
        else:
            self._found["corrupt" if known else "invented"] += 1
        if known and name and identity and not self._is_earlier(identity[3]):
            self._damaged[name] += 1

    def take_rejected(self, value: bytes) -> None:
        self._found["rejected"] += 1
        if value in self._by_line:
            event = self._next_copy(value)
            if not self._copies[event]:
                self._only_rejected.add(event)
            self._copies[event] += 1

    def counts(self, over: bool) -> Counter[str]:
        arrived = {event for event, copies in self._copies.items() if copies}
        self._found["duplicated"] += sum(self._copies.values()) - len(arrived)
        for name, copies in self._damaged.items():
            absent = [event for event in self._ids[name] if event not in arrived][:copies]
            arrived.update(absent)  # a damaged copy stands for an event of which there is no other
            self._found["duplicated"] += copies - len(absent)
        self._found["distinct"] = len(arrived) - len(self._only_rejected)
        highest: dict[tuple[int, str, str], int] = defaultdict(int)
        for event in arrived:
            sequence = (event.run, event.computer, event.channel)
            highest[sequence] = max(highest[sequence], event.number)
        for event in (event for run in self._runs for event in run.events if event not in arrived):
            passed = event.number < highest[event.run, event.computer, event.channel]
            self._found["lost" if over or passed else "unseen"] += 1
        return +self._found

    def _next_copy(self, value: bytes) -> Event:
        events = self._by_line[value]
        return next((event for event in events if not self._copies[event]), events[0])

    def _is_late(self, event: Event, partition: int | None) -> bool:
        sequence = (event.run, event.computer, event.channel, partition)
        computer = (event.run, event.computer, partition)
        time = _time(event.line)
        late = event.number < self._highest.get(sequence, 0) or time < self._latest.get(computer, "")
        self._highest[sequence] = max(event.number, self._highest.get(sequence, 0))
        self._latest[computer] = max(time, self._latest.get(computer, ""))
        return late

    def _is_earlier(self, timestamp: bytes) -> bool:
        happened = to_milliseconds(timestamp)
        return happened is not None and all(happened < run.earliest_ms for run in self._runs)


def _computer(value: bytes) -> str:
    identity = identify_damaged(value)
    return identity[0].decode(errors="replace") if identity else ""


def _name(identity: Identity) -> tuple[str, str, int]:
    computer, channel, number, _ = identity
    return computer.decode(errors="replace"), channel.decode(errors="replace").lower(), number


def _time(line: bytes) -> str:
    event = orjson.loads(line)
    return str(
        next(event[name] for name in ("timestamp", "@timestamp", "EventTime", "TimeCreated") if name in event)
    )


def _shape_of(run: MadeRun) -> str:
    return str(orjson.loads(run.header)["format"])


def ledger_text(run: MadeRun, entries: int, *, ended: bool) -> bytes:
    """The ledger of a run with its first `entries` blocks only."""
    return run.header + b"".join(run.entries[:entries]) + (LedgerEnd().encode() if ended else b"")
