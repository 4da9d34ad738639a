"""The expected events of a producer's seed, which are generated again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from consumer.verify.audit.run import ExpectedRun
from producer.events.clock import without_times
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings
from producer.log.ledger import BlockBuilder, LedgerBlock, hash_line

_TELL_EVERY = 10_000

Tell = Callable[[int], None]  # events generated so far


@dataclass(frozen=True)
class Seed:
    """A run of win-event-producer: its settings and how many events it made."""

    settings: GeneratorSettings
    count: int

    @property
    def times_known(self) -> bool:
        """Whether timestamps are known.

        With a start time, the seed decides every byte; without one, every byte except those of timestamps.
        """
        return self.settings.start_time is not None

    def fingerprint(self, line: bytes) -> int:
        return hash_line(line if self.times_known else without_times(line))

    def run(self, tell: Tell) -> ExpectedRun:
        """The whole run. It is over, because its number of events is known."""
        run = ExpectedRun(f"seed {self.settings.seed}", ended=True)
        run.expect(self.blocks(tell))
        return run

    def blocks(self, tell: Tell) -> Iterator[LedgerBlock]:
        """The run's ledger as its producer would have written it, except for the ends of blocks."""
        builders: dict[tuple[str, str], BlockBuilder] = {}
        for number, event in enumerate(islice(generate(self.settings), self.count), start=1):
            key = (event.computer, event.source)
            builder = builders.get(key)
            if builder is None:
                builder = builders[key] = BlockBuilder(*key)
            line = event.line[:-1]
            line = line if self.times_known else without_times(line)
            if block := builder.add(event.record_id, line, 0.0):
                yield block
            if number % _TELL_EVERY == 0:
                tell(number)
        for builder in builders.values():
            if block := builder.flush():
                yield block
