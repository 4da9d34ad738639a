"""Puts the pieces together: one log, one feeder, one server."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from producer.components import Components
from producer.feeding import Feeding
from producer.http.settings import TOKEN_VARIABLE, HttpSettings
from producer.log.event_log import EventLog
from producer.log.intake import Intake
from producer.log.ledger import POSTED
from producer.log.ledger_writer import LedgerWriter
from producer.log.stdout_sink import StdoutSink
from producer.opening import (
    ProducerSettings,
    last_ids_of,
    make_feeding,
    open_generator,
    open_ledger,
    open_log,
    open_positions,
)
from producer.rate_report import RateReport
from producer.serving.server import Server
from toolkit.addresses import is_loopback

_log = logging.getLogger("producer")


@dataclass(frozen=True)
class Orders:
    """The stops that a signal can request.

    `enough` only ends the generation, `stop` also the serving (set both), `stop_now` also the draining.
    """

    enough: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    stop_now: threading.Event = field(default_factory=threading.Event)


def run(settings: ProducerSettings, orders: Orders) -> None:
    """Serve until a signal stops it.

    Raises OSError, CatalogueError, ScenarioError, LedgerError, LogDirectoryError.
    """
    with contextlib.ExitStack() as cleanup:
        if settings.stdout:
            _write_to_stdout(settings, orders, cleanup)
        else:
            _serve(settings, orders, cleanup)


def _write_to_stdout(settings: ProducerSettings, orders: Orders, cleanup: contextlib.ExitStack) -> None:
    ledger = open_ledger(settings, secrets.token_hex(8), None, cleanup)
    sink = StdoutSink(ledger)
    generator = open_generator(settings, None, {})
    feeding = make_feeding(settings, generator, sink, ledger, Intake(sink, ledger), orders.enough)
    report = RateReport(feeding.main)

    def every_second() -> None:
        if ledger:
            ledger.write_due(time.monotonic())
        report.tick(0)

    cleanup.callback(_tick(every_second))
    with contextlib.suppress(BrokenPipeError):  # the reader has gone
        with feeding.generating_beside():
            feeding.run()
        if ledger:
            ledger.end()
    report.finish()


def _serve(settings: ProducerSettings, orders: Orders, cleanup: contextlib.ExitStack) -> None:
    log, recovered = open_log(settings, cleanup)
    ledger = log.book = open_ledger(settings, log.log_id, recovered, cleanup)
    last_ids = last_ids_of(recovered, ledger)
    log.continue_after(last_ids)
    server = Server(settings.server, log, open_positions(settings, log))
    if settings.server.client.slow_client == "block":
        log.hold_for(server.slowest)
    intake = Intake(log, ledger, last_ids.get(POSTED, 0))
    generator = open_generator(settings, recovered, last_ids)
    feeding = make_feeding(settings, generator, log, ledger, intake, orders.enough)
    for feeder in feeding.feeders:
        feeder.readers = server.count
    report = RateReport(feeding.main)
    server.start()
    cleanup.callback(server.close)
    stop_http = _serve_http(settings.http, Components(log, server, feeding, report, intake), cleanup)
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
        _feed(settings, feeding, ledger, report, server, orders)
    finally:
        server.stop(orders.stop_now.is_set)
        stop_http()
        stop_ticking()
        server.save_positions()
    if ledger:
        ledger.end()  # once more, because events were posted since
    _log.info("stopped after %d events", feeding.made)


def _feed(
    settings: ProducerSettings,
    feeding: Feeding,
    ledger: LedgerWriter | None,
    report: RateReport,
    server: Server,
    orders: Orders,
) -> None:
    """Feed the log until the load has ended; then wait for a stop, or until all clients have read it."""
    with feeding.generating_beside():
        feeding.run()
        if settings.exit_when_done:
            orders.enough.set()
        if ledger and feeding.is_over:
            ledger.end()
        report.finish()
        if not orders.stop.is_set():
            _log.info("made all %d events; still serving what clients have not read", feeding.main.made)
            _wait_for_the_end(settings, server, orders.stop)


def _serve_http(
    settings: HttpSettings | None, components: Components, cleanup: contextlib.ExitStack
) -> Callable[[], None]:
    """Start the HTTP server if there are settings for it; returns the function that stops it."""
    if settings is None:
        return lambda: None
    # These load FastAPI, which takes half of a start and is not needed for TCP alone.
    from producer.http.app import build_app
    from producer.http.metrics import ProducerMetrics
    from producer.http.server import HttpServer

    metrics = ProducerMetrics(components)
    http = HttpServer(settings, build_app(settings, components, metrics), metrics.refused)
    cleanup.callback(http.stop)
    scheme = "https" if settings.tls else "http"
    _log.info("intake, control, health and metrics on %s://%s", scheme, _address(*http.address))
    if settings.token is None and not is_loopback(settings.host):
        _log.warning(
            "without a token, HTTP requests that change something are refused: set %s or …_FILE",
            TOKEN_VARIABLE,
        )
    return http.stop


def _tick(work: Callable[[], object]) -> Callable[[], None]:
    """Call `work` every second in a separate thread; returns the function that stops it."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(1.0):
            try:
                work()
            except OSError as error:  # a full disk, for instance: try again in the next second
                _log.warning("%s", error)

    thread = threading.Thread(target=run, name="every second", daemon=True)
    thread.start()

    def stop() -> None:
        over.set()
        thread.join()

    return stop


def _wait_for_the_end(settings: ProducerSettings, server: Server, stop: threading.Event) -> None:
    if settings.exit_when_done:
        server.wait_until_drained(stop)
    else:
        stop.wait()


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _describe(settings: ProducerSettings, log: EventLog) -> str:
    own, rate = settings.generator, settings.rate
    pace = "as fast as possible" if rate is None else f"{rate:g} events/s"
    what = (
        f"events of {settings.from_file}" if settings.from_file else f"profile {own.profile}, seed {own.seed}"
    )
    return f"log {log.log_id}, {what}, {pace}"
