"""win-event-producer: the command line."""

from __future__ import annotations

import contextlib
import logging
import signal
import ssl
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from producer.catalogue_file import CatalogueError
from producer.client import SLOW_CLIENT_POLICIES, ClientSettings
from producer.event_catalogue import BUILT_IN, PROFILES
from producer.formats import FORMATS
from producer.generator import GeneratorSettings
from producer.ledger import LedgerError
from producer.log_directory import FSYNC_POLICIES, LogDirectoryError
from producer.producer import ProducerSettings, run
from producer.server import ServerSettings
from producer.tls import TlsSettings


class _Rate(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.2 only
    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value == "max":
            return None
        try:
            rate = float(value)
        except ValueError:
            rate = 0.0
        if not 0.0 < rate <= 1e7:
            self.fail(f"{value!r} is neither a number of events a second above 0 nor max", param, ctx)
        return rate


def _start_time(_ctx: click.Context, _param: click.Parameter, value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=timezone.utc) if value else None


@click.command(
    context_settings={
        "auto_envvar_prefix": "WIN_EVENT_PRODUCER",
        "show_default": True,
        "max_content_width": 110,
    }
)
@click.option(
    "--host",
    envvar="WIN_EVENT_HOST",
    show_envvar=True,
    default="127.0.0.1",
    help="Name or address to listen on; :: is everything.",
)
@click.option(
    "--port",
    envvar="WIN_EVENT_PORT",
    show_envvar=True,
    default=9999,
    type=click.IntRange(0, 65535),
    help="0 takes a free port and prints it.",
)
@click.option("--rate", default="100", type=_Rate(), metavar="N|max", help="Events a second in all.")
@click.option("--count", type=click.IntRange(1), help="Make so many events, then only serve.")
@click.option(
    "--exit-when-done", is_flag=True, help="With --count: end when the connected clients have read all."
)
@click.option(
    "--wait-for-clients",
    default=0,
    type=click.IntRange(0),
    metavar="N",
    help="Make nothing before N clients are connected.",
)
@click.option("--seed", default=1, type=click.IntRange(0), help="The same seed gives the same events.")
@click.option("--hosts", default=10, type=click.IntRange(1, 100_000), help="Number of computers.")
@click.option(
    "--profile",
    default="mixed",
    type=click.Choice(PROFILES),
    help="What kind of computers.",
)
@click.option(
    "--format",
    "fmt",
    default="flat",
    type=click.Choice(sorted(FORMATS)),
    help="JSON shape of an event.",
)
@click.option("--labels", is_flag=True, help="Add the story and scenario to each event (ground truth).")
@click.option(
    "--start-time",
    type=click.DateTime(),
    callback=_start_time,
    help="UTC; event times come from the seed, not from the clock.",
)
@click.option(
    "--catalogue",
    default=BUILT_IN,
    show_default="built in",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with your own catalogue files.",
)
@click.option(
    "--retain-bytes",
    default=256 * 1024 * 1024,
    type=click.IntRange(65536),
    help="How much of the log is kept.",
)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what was handed to the log, for win-event-verify.",
)
@click.option(
    "--log-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the log on disk: it survives restarts and kill -9.",
)
@click.option(
    "--fsync", default="second", type=click.Choice(FSYNC_POLICIES), help="When --log-dir is forced to disk."
)
@click.option(
    "--slow-client",
    default="disconnect",
    type=click.Choice(SLOW_CLIENT_POLICIES),
    help="What happens to a client that falls behind the start of the log; block makes generation wait.",
)
@click.option(
    "--plain-resume",
    type=click.IntRange(0),
    metavar="BYTES",
    help="A plain client that reconnects continues BYTES before where it was.",
)
@click.option(
    "--user-timeout",
    default=300.0,
    type=click.FloatRange(1.0),
    help="Seconds after which a client that accepts nothing is cut.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Serve TLS with this PEM certificate.",
)
@click.option(
    "--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its private key."
)
@click.option(
    "--tls-client-ca",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Clients must show a certificate signed by this authority.",
)
@click.option("--max-clients", default=1024, type=click.IntRange(1))
@click.option(
    "--heartbeat",
    default=15.0,
    type=click.FloatRange(0.1),
    help="Seconds of silence before a plain client gets an empty line.",
)
@click.option("-v", "--verbose", is_flag=True, help="Also tell about every client.")
def main(**options: Any) -> None:
    """Serve synthetic Windows events as JSON lines over TCP: one log, any number of clients.

    \b
    Example:
      win-event-producer --rate 1000 --port 9999 &
      nc 127.0.0.1 9999 | head -3
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    logging.getLogger("producer.client").setLevel(logging.INFO if options.pop("verbose") else logging.WARNING)
    settings = _settings(options)
    stop, stop_now = threading.Event(), threading.Event()
    with _signals(stop, stop_now):
        try:
            run(settings, stop, stop_now)
        except (CatalogueError, LedgerError, LogDirectoryError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(_explain(error, settings)) from error


def _settings(options: dict[str, Any]) -> ProducerSettings:
    def take(*names: str) -> dict[str, Any]:
        return {name: options.pop(name) for name in names}

    generator = GeneratorSettings(
        **take("seed", "hosts", "profile", "fmt", "labels", "start_time", "catalogue")
    )
    tls = _tls(*(options.pop(name) for name in ("tls_cert", "tls_key", "tls_client_ca")))
    client = ClientSettings(**take("heartbeat", "user_timeout", "slow_client"), tls=tls)
    server = ServerSettings(**take("host", "port", "max_clients"), client=client)
    return ProducerSettings(generator=generator, server=server, **options)


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise click.UsageError("TLS needs both --tls-cert and --tls-key")
    try:
        return TlsSettings(certificate, key, client_ca).context()
    except OSError as error:
        raise click.ClickException(f"cannot use {certificate} with {key}: {error}") from error


def _explain(error: OSError, settings: ProducerSettings) -> str:
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    where = f"{settings.server.host}:{settings.server.port}"
    return (
        f"cannot listen on {where}: {error.strerror or error}; try another --port, or --port 0 for a free one"
    )


@contextlib.contextmanager
def _signals(stop: threading.Event, stop_now: threading.Event) -> Iterator[None]:
    """The first SIGINT or SIGTERM stops gracefully, the second at once."""

    def on_signal(_number: int, _frame: object) -> None:
        (stop_now if stop.is_set() else stop).set()

    earlier = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
