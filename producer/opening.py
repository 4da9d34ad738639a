"""Opens everything a producer needs: the log with the data of former runs, ledger, generator, file."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings, runs_ahead
from producer.feeding import Feeding
from producer.files.line_reader import STANDARD_INPUT, LineReader
from producer.files.source import FileEvents
from producer.files.time_shift import TimeShift
from producer.http.settings import HttpSettings
from producer.log.event_log import EventLog
from producer.log.feeder import Feeder, Source
from producer.log.generated import GeneratedEvents, Sink
from producer.log.intake import Intake
from producer.log.ledger import LedgerHeader
from producer.log.ledger_writer import LedgerWriter
from producer.log.load_control import LoadControl
from producer.log.log_directory import LogDirectory
from producer.log.pacing import Schedule, make_schedule
from producer.log.recovery import RecordIds, RecoveredLog, events_of, last_record_ids
from producer.serving.plain_positions import PlainPositions
from producer.serving.server import ServerSettings

_log = logging.getLogger("producer")


@dataclass(frozen=True)
class ProducerSettings:
    """Everything the command line decides. `rate` is in events per second; None is as fast as possible.

    With `from_file`, the rate is that of the file's lines, and `generated_rate` is that of generated events
    beside them (infinite: as fast as possible). Without `generated_rate`, nothing is generated then.
    """

    generator: GeneratorSettings = field(default_factory=GeneratorSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    http: HttpSettings | None = None
    rate: float | None = 100.0
    count: int | None = None
    stdout: bool = False
    retain_bytes: int = 256 * 1024 * 1024
    wait_for_clients: int = 0
    exit_when_done: bool = False
    ledger: Path | None = None
    log_dir: Path | None = None
    fsync: str = "second"
    plain_resume: int | None = None
    from_file: Path | None = None
    loop: bool = False
    shift_time: bool = False
    generated_rate: float | None = None

    @property
    def generates(self) -> bool:
        return self.from_file is None or self.generated_rate is not None


def open_log(
    settings: ProducerSettings, cleanup: contextlib.ExitStack
) -> tuple[EventLog, RecoveredLog | None]:
    if settings.log_dir is None:
        return EventLog(settings.retain_bytes), None
    directory = LogDirectory(settings.log_dir, settings.retain_bytes, settings.fsync)
    cleanup.callback(directory.close)
    recovered = directory.open(settings.generator.fmt)
    for remark in recovered.remarks:
        _log.warning("%s: %s", settings.log_dir, remark)
    return EventLog(settings.retain_bytes, directory, recovered), recovered


def open_generator(
    settings: ProducerSettings, recovered: RecoveredLog | None, last_ids: RecordIds
) -> Generator | None:
    if not settings.generates:
        return None
    now = time.time_ns() // 100
    if recovered is None:
        return Generator(settings.generator, now)
    generator = Generator(replace(settings.generator, run=recovered.starts), now)
    generator.continue_from(last_ids)
    return generator


def last_ids_of(recovered: RecoveredLog | None, ledger: LedgerWriter | None) -> RecordIds:
    """The last ids, after which the sequences continue.

    They are those of the log, or those of the ledger if it is longer after a power cut.
    """
    if recovered is None:
        return {}
    in_log = last_record_ids(recovered.segments[-1], recovered.fmt)
    in_ledger = ledger.last_ids if ledger else {}
    return {key: max(in_log.get(key, 0), in_ledger.get(key, 0)) for key in in_log | in_ledger}


def open_positions(settings: ProducerSettings, log: EventLog) -> PlainPositions | None:
    if settings.plain_resume is None:
        return None
    file = settings.log_dir / "plain-clients.json" if settings.log_dir else None
    return PlainPositions(settings.plain_resume, file, log.end)


def open_ledger(
    settings: ProducerSettings, log_id: str, recovered: RecoveredLog | None, cleanup: contextlib.ExitStack
) -> LedgerWriter | None:
    if settings.ledger is None:
        return None
    own = settings.generator
    start = own.start_time.isoformat() if own.start_time else None
    earlier = [each.log_id for each in recovered.earlier] if recovered else []
    started = datetime.now(timezone.utc).isoformat()
    header = LedgerHeader(log_id, own.seed, own.fmt, start, started, own.as_json())
    ledger = LedgerWriter(settings.ledger, header, earlier)
    cleanup.callback(ledger.close)
    if recovered:
        ledger.catch_up(events_of(recovered.segments[-1], own.fmt))
    return ledger


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
        return make_schedule(rate, own.rate_pattern, own.seed, time.time() % 86400.0)

    return Feeder(source, LoadControl(rate), schedule_of, count, stop)
