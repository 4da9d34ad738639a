"""win-event-producer: the command line."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from producer.events.catalogue.yaml_file import CatalogueError
from producer.events.generator_settings import GeneratorSettings
from producer.events.timeline.scenarios import ScenarioError
from producer.files.line_reader import STANDARD_INPUT
from producer.http.settings import TOKEN_VARIABLE, HttpLimits, HttpSettings
from producer.log.ledger import LedgerError
from producer.log.recovery import LogDirectoryError
from producer.opening import ProducerSettings
from producer.options_cli import producer_options
from producer.producer import Orders, run
from producer.serving.client import ClientSettings
from producer.serving.server import ServerSettings
from producer.serving.tls import TlsSettings
from toolkit.options import read_environment

_CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 110,
    "show_default": True,
}


@click.command(context_settings=_CONTEXT)
@click.version_option(package_name="win-event-bridge")
@producer_options
def main(**options: Any) -> None:
    """Serve synthetic Windows events as JSON lines over TCP: one log, any number of clients.

    Every option is also read from the environment. The token for requests that change something comes from
    WIN_EVENT_HTTP_TOKEN or from the file WIN_EVENT_HTTP_TOKEN_FILE.

    \b
    Examples:
      win-event-producer --rate 1000 --port 9999 &
      nc 127.0.0.1 9999 | head -3
      win-event-producer --from-file events.ndjson --rate 50 --shift-time --loop
      win-event-producer --stdout --seed 7 --start-time 2026-01-05 --count 1000 > events.ndjson
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    logging.getLogger("producer.serving.client").setLevel(
        logging.INFO if options.pop("verbose") else logging.WARNING
    )
    settings = _settings(options)
    orders = Orders()
    with _signals(orders):
        try:
            run(settings, orders)
        except ScenarioError as error:
            raise click.BadParameter(str(error), param_hint="--scenario") from error
        except (CatalogueError, LedgerError, LogDirectoryError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(_explain(error, settings)) from error


read_environment(main, "WIN_EVENT_PRODUCER")


def _settings(options: dict[str, Any]) -> ProducerSettings:
    def take(*names: str) -> dict[str, Any]:
        return {name: options.pop(name) for name in names}

    _check_options(options)
    generator = GeneratorSettings(
        **take(
            "seed", "hosts", "profile", "fmt", "labels", "start_time", "catalogue", "scenarios",
            "rate_pattern", "backfill", "channel_mix", "host_rate",
        )
    )  # fmt: skip
    http = _http(options)
    tls = _tls(**take("tls_cert", "tls_key", "tls_client_ca"))
    client = ClientSettings(**take("heartbeat", "user_timeout", "slow_client"), tls=tls)
    server = ServerSettings(**take("host", "port", "max_clients"), client=client)
    return ProducerSettings(generator=generator, server=server, http=http, **options)


def _check_options(options: dict[str, Any]) -> None:
    """Refuse options that would be ignored: the user meant something by them."""
    if options["stdout"] and options["http_port"] is not None:
        raise click.UsageError("--stdout serves no clients: leave out --http-port")
    if options["from_file"] is None:
        given = [name for name in ("loop", "shift_time", "generated_rate") if options[name]]
        if given:
            raise click.UsageError(
                f"--{given[0].replace('_', '-')} is for events of a file: name it with --from-file"
            )
        return
    if options["loop"] and options["from_file"] == STANDARD_INPUT:
        raise click.UsageError("--loop: standard input cannot be read a second time")
    if options["generated_rate"] is None and (options["scenarios"] or options["backfill"]):
        raise click.UsageError(
            "with --from-file nothing is generated: --scenario and --backfill need --generated-rate"
        )


def _http(options: dict[str, Any]) -> HttpSettings | None:
    """Remove the options that begin with http_ and return them as settings; None without --http-port."""
    own = {name: options.pop(name) for name in list(options) if name.startswith("http_")}
    limits = {name: own.pop(f"http_{name}") for name in HttpLimits.__dataclass_fields__}
    if own["http_port"] is None:
        return None
    # A health probe has no certificate; the token decides who may change something.
    tls = _tls(options["tls_cert"], options["tls_key"], None)
    names = tuple(own["http_allow_host"])
    return HttpSettings(own["http_port"], own["http_host"], _token(), names, HttpLimits(**limits), tls)


def _token() -> str | None:
    """The token, from the environment or from the file that it names; never from an option."""
    file = os.environ.get(f"{TOKEN_VARIABLE}_FILE")
    if (token := os.environ.get(TOKEN_VARIABLE)) or not file:
        return token or None
    try:
        token = Path(file).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{TOKEN_VARIABLE}_FILE={file}: {error}") from error
    if not token:
        raise click.UsageError(f"{TOKEN_VARIABLE}_FILE={file}: the file is empty")
    return token


def _tls(tls_cert: Path | None, tls_key: Path | None, tls_client_ca: Path | None) -> ssl.SSLContext | None:
    if tls_cert is None and tls_key is None and tls_client_ca is None:
        return None
    if tls_cert is None or tls_key is None:
        raise click.UsageError("TLS needs both --tls-cert and --tls-key")
    try:
        return TlsSettings(tls_cert, tls_key, tls_client_ca).context()
    except OSError as error:
        raise click.ClickException(f"cannot use {tls_cert} with {tls_key}: {error}") from error


def _explain(error: OSError, settings: ProducerSettings) -> str:
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"{error.strerror}: the log directory or the ledger cannot grow. Make room and start again with "
            "the same folders: everything that was served is kept"
        )
    where, option = f"{settings.server.host}:{settings.server.port}", "--port"
    if settings.http:
        where += f" or {settings.http.host}:{settings.http.port}"
        option += " or --http-port"
    return f"cannot listen on {where}: {error.strerror or error}; try another {option}; 0 takes a free one"


@contextlib.contextmanager
def _signals(orders: Orders) -> Iterator[None]:
    """The first SIGINT or SIGTERM stops gracefully, the second stops at once; SIGUSR1 only ends the load.

    A thread sets the events: a handler runs inside the main thread and would wait forever for the lock that
    this thread holds while it enters `Event.wait()`.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    obeying = threading.Thread(target=_obey, args=(reader, orders), daemon=True)
    obeying.start()
    earlier = {number: signal.signal(number, lambda *_: None) for number in numbers}
    earlier_fd = signal.set_wakeup_fd(writer.fileno())
    try:
        yield
    finally:
        signal.set_wakeup_fd(earlier_fd)
        for number, handler in earlier.items():
            signal.signal(number, handler)
        writer.close()
        obeying.join()
        reader.close()


def _obey(signals: socket.socket, orders: Orders) -> None:
    """Carry out the signals, which come as bytes, until the other end is closed."""
    while number := signals.recv(1):
        if number[0] != signal.SIGUSR1:
            (orders.stop_now if orders.stop.is_set() else orders.stop).set()
        orders.enough.set()
