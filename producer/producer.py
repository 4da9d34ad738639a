"""Puts the pieces together: one log, one feeder, one server."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from producer.event_log import EventLog
from producer.feeder import Feeder
from producer.generator import Generator, GeneratorSettings
from producer.ledger import LedgerHeader
from producer.ledger_file import LedgerWriter
from producer.pacing import Constant, Schedule, Unpaced
from producer.server import Server, ServerSettings

_log = logging.getLogger("producer")


@dataclass(frozen=True)
class ProducerSettings:
    """Everything the command line decides. `rate` in events a second, None for as fast as it goes."""

    generator: GeneratorSettings = field(default_factory=GeneratorSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    rate: float | None = 100.0
    count: int | None = None
    retain_bytes: int = 256 * 1024 * 1024
    wait_for_clients: int = 0
    exit_when_done: bool = False
    ledger: Path | None = None


def run(settings: ProducerSettings, stop: threading.Event, stop_now: threading.Event) -> None:
    """Serve until `stop`; `stop_now` ends the draining. Raises OSError, CatalogueError, LedgerError."""
    generator = Generator(settings.generator)
    log = EventLog(settings.retain_bytes)
    ledger = _open_ledger(settings, log)
    server = Server(settings.server, log)
    feeder = Feeder(generator, log, _schedule(settings), settings.count, ledger, stop)
    server.start()
    _log.info("listening on %s:%d, %s", *server.address, _describe(settings, log))
    try:
        server.wait_for_clients(settings.wait_for_clients, stop)
        feeder.run()
        if not stop.is_set():
            _log.info("made all %d events; still serving what clients have not read", feeder.made)
            _wait_for_the_end(settings, server, stop)
    finally:
        server.stop(stop_now.is_set)
        if ledger:
            ledger.close()
    _log.info("stopped after %d events", feeder.made)


def _wait_for_the_end(settings: ProducerSettings, server: Server, stop: threading.Event) -> None:
    if settings.exit_when_done:
        server.wait_until_drained(stop)
    else:
        stop.wait()


def _open_ledger(settings: ProducerSettings, log: EventLog) -> LedgerWriter | None:
    if settings.ledger is None:
        return None
    own = settings.generator
    start = own.start_time.isoformat() if own.start_time else None
    return LedgerWriter(settings.ledger, LedgerHeader(log.log_id, own.seed, own.fmt, start))


def _schedule(settings: ProducerSettings) -> Schedule:
    return Unpaced() if settings.rate is None else Constant(settings.rate)


def _describe(settings: ProducerSettings, log: EventLog) -> str:
    rate = "as fast as possible" if settings.rate is None else f"{settings.rate:g} events/s"
    return f"log {log.log_id}, profile {settings.generator.profile}, seed {settings.generator.seed}, {rate}"
