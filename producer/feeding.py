"""Makes what feeds the log: the generator, a file, or both, each with its pace."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone

from producer.events.generator import Generator
from producer.events.generator_settings import runs_ahead
from producer.files.line_reader import STANDARD_INPUT, LineReader
from producer.files.source import FileEvents
from producer.files.time_shift import TimeShift
from producer.log.feeder import Feeder, Source
from producer.log.generated import GeneratedEvents, Sink
from producer.log.intake import Intake
from producer.log.ledger_file import LedgerWriter
from producer.log.load_control import LoadControl
from producer.log.pacing import Schedule, make_schedule
from producer.opening import ProducerSettings

_log = logging.getLogger("producer")


@dataclass(frozen=True)
class Feeding:
    """`main` makes what --rate and --count speak of; `generator` is None when nothing is generated."""

    main: Feeder
    beside: Feeder | None
    generated: GeneratedEvents | None
    file: FileEvents | None

    @property
    def feeders(self) -> list[Feeder]:
        return [self.main, self.beside] if self.beside else [self.main]

    @property
    def scenarios(self) -> list[str]:
        return self.generated.generator.scenarios() if self.generated else []

    @property
    def made(self) -> int:
        return sum(feeder.made for feeder in self.feeders)

    @property
    def is_over(self) -> bool:
        return all(feeder.control.is_over for feeder in self.feeders)

    @contextmanager
    def generating_beside(self) -> Iterator[None]:
        """What is generated beside a file, in a thread of its own, until somebody has had enough."""
        thread = threading.Thread(target=self.beside.run, name="generate") if self.beside else None
        if thread:
            thread.start()
        try:
            yield
        finally:
            self.main.stop.set()
            if thread:
                thread.join()

    def run(self) -> None:
        """Feed until the main load has ended."""
        self.main.run()
        if self.file:
            self.file.finish()


def make_feeding(
    settings: ProducerSettings,
    generator: Generator | None,
    sink: Sink,
    ledger: LedgerWriter | None,
    intake: Intake,
    enough: threading.Event,
) -> Feeding:
    """Raises OSError when the file cannot be opened."""
    generated = GeneratedEvents(generator, sink, ledger) if generator else None
    file = _open_file(settings, intake)
    source = file or generated
    if source is None:
        raise ValueError("neither a generator nor a file")
    beside = None
    if generated and file:
        rate = settings.generated_rate
        beside = _feeder(settings, generated, None if rate == math.inf else rate, None, enough)
    return Feeding(_feeder(settings, source, settings.rate, settings.count, enough), beside, generated, file)


def _open_file(settings: ProducerSettings, intake: Intake) -> FileEvents | None:
    path = settings.from_file
    if path is None:
        return None
    name = "standard input" if path == STANDARD_INPUT else str(path)
    shift = TimeShift() if settings.shift_time else None
    return FileEvents(name, LineReader(path, settings.loop), intake, shift)


def _feeder(
    settings: ProducerSettings, source: Source, rate: float | None, count: int | None, stop: threading.Event
) -> Feeder:
    own = settings.generator
    if isinstance(source, GeneratedEvents):
        ahead = runs_ahead(own, rate, count, datetime.now(timezone.utc))
        if ahead:
            _log.warning("%s", ahead)

    def schedule_of(rate: float | None) -> Schedule:
        return make_schedule(rate, own.shape, own.seed, time.time() % 86400.0)

    return Feeder(source, LoadControl(rate), schedule_of, count, stop)
