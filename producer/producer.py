"""Puts the pieces together: one log, one feeder, one server."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings, runs_ahead
from producer.http.endpoint import HttpEndpoint, HttpSettings
from producer.http.metrics import ProducerMetrics
from producer.log.event_log import EventLog
from producer.log.feeder import Feeder, Sink
from producer.log.ledger import LedgerHeader
from producer.log.ledger_file import LedgerWriter
from producer.log.load_control import LoadControl
from producer.log.log_directory import LogDirectory
from producer.log.pacing import Schedule, make_schedule
from producer.log.recovery import RecordIds, RecoveredLog, events_of, last_record_ids
from producer.rate_report import RateReport
from producer.serving.plain_positions import PlainPositions
from producer.serving.server import Server, ServerSettings
from producer.stdout_sink import StdoutSink

_log = logging.getLogger("producer")


@dataclass(frozen=True)
class ProducerSettings:
    """Everything the command line decides. `rate` in events a second, None for as fast as it goes."""

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


@dataclass(frozen=True)
class Orders:
    """`enough` ends the making of events alone, `stop` the serving (set both), `stop_now` the draining."""

    enough: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    stop_now: threading.Event = field(default_factory=threading.Event)


def run(settings: ProducerSettings, orders: Orders) -> None:
    """Serve until told to stop.

    Raises OSError, CatalogueError, ScenarioError, LedgerError, LogDirectoryError.
    """
    with contextlib.ExitStack() as cleanup:
        if settings.stdout:
            _write_to_stdout(settings, orders, cleanup)
        else:
            _serve(settings, orders, cleanup)


def _write_to_stdout(settings: ProducerSettings, orders: Orders, cleanup: contextlib.ExitStack) -> None:
    ledger = _open_ledger(settings, secrets.token_hex(8), None, cleanup)
    feeder = _feeder(settings, _open_generator(settings, None, {}), StdoutSink(ledger), ledger, orders)
    report = RateReport(feeder)

    def every_second() -> None:
        if ledger:
            ledger.write_due(time.monotonic())
        report.tick(0)

    cleanup.callback(_tick(every_second))
    with contextlib.suppress(BrokenPipeError):  # the reader has seen enough
        feeder.run()
        if ledger:
            ledger.end()
    report.finish()


def _serve(settings: ProducerSettings, orders: Orders, cleanup: contextlib.ExitStack) -> None:
    log, recovered = _open_log(settings, cleanup)
    ledger = log.book = _open_ledger(settings, log.log_id, recovered, cleanup)
    generator = _open_generator(settings, recovered, ledger.last_ids if ledger else {})
    server = Server(settings.server, log, _positions(settings, log))
    if settings.server.client.slow_client == "block":
        log.hold_for(server.slowest)
    feeder = _feeder(settings, generator, log, ledger, orders)
    report = RateReport(feeder)
    metrics = ProducerMetrics(log, server, report)
    feeder.observe, feeder.readers = metrics.observe, server.count
    server.start()
    cleanup.callback(server.close)
    if settings.http:
        endpoint = HttpEndpoint(settings.http, log, server, metrics)
        cleanup.callback(endpoint.stop)
        _log.info("health and metrics on http://%s", _address(*endpoint.address))
    _log.info("listening on %s, %s", _address(*server.address), _describe(settings, log))

    def every_second() -> None:
        log.every_second()
        if ledger:
            ledger.write_due(time.monotonic())
        server.save_positions()
        report.tick(len(server.clients()))

    stop_ticking = _tick(every_second)
    try:
        server.wait_for_clients(settings.wait_for_clients, orders.enough)
        feeder.run()
        if ledger:
            ledger.end()
        report.finish()
        if not orders.stop.is_set():
            _log.info("made all %d events; still serving what clients have not read", feeder.made)
            _wait_for_the_end(settings, server, orders.stop)
    finally:
        server.stop(orders.stop_now.is_set)
        stop_ticking()
        server.save_positions()
    if ledger:
        ledger.end()  # once more: events may have been posted since
    _log.info("stopped after %d events", feeder.made)


def _tick(work: Callable[[], object]) -> Callable[[], None]:
    """Do `work` every second in a thread of its own, whatever the feeder does; returns what ends it."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(1.0):
            try:
                work()
            except OSError as error:  # a full disk, for instance: the next second may be better
                _log.warning("%s", error)

    thread = threading.Thread(target=run, name="every second", daemon=True)
    thread.start()

    def stop() -> None:
        over.set()
        thread.join()

    return stop


def _feeder(
    settings: ProducerSettings, generator: Generator, sink: Sink, ledger: LedgerWriter | None, orders: Orders
) -> Feeder:
    own = settings.generator
    ahead = runs_ahead(own, settings.rate, settings.count, datetime.now(timezone.utc))
    if ahead:
        _log.warning("%s", ahead)

    def schedule_of(rate: float | None) -> Schedule:
        return make_schedule(rate, own.shape, own.seed, time.time() % 86400.0)

    control = LoadControl(settings.rate)
    return Feeder(
        generator, sink, control, schedule_of, settings.count, ledger, orders.enough, lambda batch: None
    )


def _open_log(
    settings: ProducerSettings, cleanup: contextlib.ExitStack
) -> tuple[EventLog, RecoveredLog | None]:
    if settings.log_dir is None:
        return EventLog(settings.retain_bytes), None
    directory = LogDirectory(settings.log_dir, settings.retain_bytes, settings.fsync)
    cleanup.callback(directory.close)
    recovered = directory.open(settings.generator.fmt)
    for finding in recovered.findings:
        _log.warning("%s: %s", settings.log_dir, finding)
    return EventLog(settings.retain_bytes, directory, recovered), recovered


def _open_generator(
    settings: ProducerSettings, recovered: RecoveredLog | None, in_ledger: RecordIds
) -> Generator:
    """Record ids go on after those of the log, and of the ledger where a power cut left it the longer one."""
    now = time.time_ns() // 100
    if recovered is None:
        return Generator(settings.generator, now)
    generator = Generator(replace(settings.generator, run=recovered.starts), now)
    in_log = last_record_ids(recovered.segments[-1], settings.generator.fmt)
    generator.continue_from(
        {key: max(in_log.get(key, 0), in_ledger.get(key, 0)) for key in in_log | in_ledger}
    )
    return generator


def _positions(settings: ProducerSettings, log: EventLog) -> PlainPositions | None:
    if settings.plain_resume is None:
        return None
    file = settings.log_dir / "plain-clients.json" if settings.log_dir else None
    return PlainPositions(settings.plain_resume, file, log.end)


def _wait_for_the_end(settings: ProducerSettings, server: Server, stop: threading.Event) -> None:
    if settings.exit_when_done:
        server.wait_until_drained(stop)
    else:
        stop.wait()


def _open_ledger(
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


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _describe(settings: ProducerSettings, log: EventLog) -> str:
    own, rate = settings.generator, settings.rate
    pace = "as fast as possible" if rate is None else f"{rate:g} events/s"
    return f"log {log.log_id}, profile {own.profile}, seed {own.seed}, {pace}"
