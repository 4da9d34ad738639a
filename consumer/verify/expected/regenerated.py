"""What a producer's seed says was produced: the events are generated again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from consumer.verify.audit.intervals import Intervals
from consumer.verify.expected.expected import Key
from producer.events.clock import without_times
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings
from producer.log.ledger import BlockBuilder, LedgerBlock, hash_line

_TELL_EVERY = 10_000

Tell = Callable[[int], None]  # events generated so far


@dataclass(frozen=True)
class Run:
    """A run of win-event-producer: its settings and how many events it made."""

    settings: GeneratorSettings
    count: int

    @property
    def times_known(self) -> bool:
        """With a start time every byte is decided by the seed; else all but the timestamps are."""
        return self.settings.start_time is not None

    def fingerprint(self, line: bytes) -> int:
        return hash_line(line if self.times_known else without_times(line))


def blocks(run: Run, tell: Tell) -> Iterator[LedgerBlock]:
    """The run's ledger, as its producer would have written it but for where blocks end."""
    builders: dict[tuple[str, str], BlockBuilder] = {}
    for number, event in enumerate(islice(generate(run.settings), run.count), start=1):
        key = (event.computer, event.source)
        builder = builders.get(key)
        if builder is None:
            builder = builders[key] = BlockBuilder(*key)
        line = event.line[:-1]
        if block := builder.add(event.record_id, line if run.times_known else without_times(line), 0.0):
            yield block
        if number % _TELL_EVERY == 0:
            tell(number)
    for builder in builders.values():
        if block := builder.flush():
            yield block


def hashes(run: Run, wanted: dict[Key, Intervals], tell: Tell) -> dict[Key, dict[int, int]]:
    """The hash of each wanted event alone."""
    found: dict[Key, dict[int, int]] = {key: {} for key in wanted}
    for number, event in enumerate(islice(generate(run.settings), run.count), start=1):
        key = (event.computer.encode(), event.source.encode())
        if key in wanted and event.record_id in wanted[key]:
            found[key][event.record_id] = run.fingerprint(event.line[:-1])
        if number % _TELL_EVERY == 0:
            tell(number)
    return found
