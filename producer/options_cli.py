"""The options of win-event-producer, by group, and the conversion of their texts to values."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from producer.events.catalogue.event_catalogue import PROFILES
from producer.events.formats import FORMATS
from producer.events.generator_settings import BUILT_IN
from producer.events.timeline.rate_pattern import RATE_PATTERNS
from producer.http.settings import HttpLimits
from producer.log.log_directory import FSYNC_POLICIES
from producer.run_options_cli import moment, seconds, shares
from producer.serving.client import SLOW_CLIENT_POLICIES
from toolkit.addresses import PRODUCER_PORT
from toolkit.options import FiniteFloat

Command = TypeVar("Command", bound=Callable[..., Any])

_LIMITS = HttpLimits()
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


class _Rate(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.2 only
    name = "rate"

    def __init__(self, highest: float | None = None) -> None:
        self._highest = highest  # the meaning of max

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        if value in ("max", self._highest):
            return self._highest
        try:
            rate = float(value)
        except ValueError:
            rate = 0.0
        if not 0.0 < rate <= 1e7:
            self.fail(f"{value!r} is neither a number of events per second above 0 nor max", param, ctx)
        return rate


_PACE = (
    click.option("--rate", default="100", type=_Rate(), metavar="N|max", help="Total number of events per second."),
    click.option("--rate-pattern", default="constant", type=click.Choice(RATE_PATTERNS), help="How the rate varies around its mean."),
    click.option("--count", type=click.IntRange(1), help="Make this many events, then only serve clients."),
    click.option("--backfill", default="0", metavar="24h", callback=seconds, help="First write a history of this length, as fast as possible."),
    click.option("--wait-for-clients", default=0, type=click.IntRange(0), metavar="N", help="Make no events until N clients are connected."),
    click.option("--exit-when-done", is_flag=True, help="With --count or --from-file: exit when the connected clients have read everything."),
)  # fmt: skip
_EVENTS = (
    click.option("--seed", default=1, type=click.IntRange(0), help="The same seed gives the same events."),
    click.option("--hosts", default=10, type=click.IntRange(1, 100_000), help="Number of computers."),
    click.option("--profile", default="mixed", type=click.Choice(PROFILES), help="Kind of computers."),
    click.option("--scenario", "scenarios", multiple=True, metavar="NAME[@S|@N/h]", help="Inject an attack after S seconds of event time (default: 10), or N times per hour: brute-force, log-cleared, password-spray, rogue-account, service-install."),
    click.option("--labels", is_flag=True, help="Add the story and scenario to each event, as the ground truth for detection."),
    click.option("--format", "fmt", default="flat", type=click.Choice(list(FORMATS)), help="JSON shape of an event."),
    click.option("--channel-mix", default="85/9/6", metavar="S/S/A", callback=shares, help="Shares of Security, System and Application."),
    click.option("--start-time", metavar="ISO8601", callback=moment, help="Start of event time, such as 2026-01-05T08:00:00Z; UTC if it has no offset. Event times then come from the seed and not from the clock."),
    click.option("--host-rate", default=1.6, type=FiniteFloat(0.001, 1e6), help="Events per second of one computer, in event time."),
    click.option("--catalogue", default=BUILT_IN, show_default="built in", type=_FOLDER, help="Folder with your own catalogue files."),
    click.option("--stdout", is_flag=True, help="Write events to standard output; serve no clients."),
)  # fmt: skip
_FILES = (
    click.option("--from-file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), metavar="FILE|-", help="Send the events of this file (one JSON object per line) at --rate, instead of generated ones."),
    click.option("--loop", is_flag=True, help="At the end of the file, start again."),
    click.option("--shift-time", is_flag=True, help="Move the times of the file's events so that they happen now, never in the future."),
    click.option("--generated-rate", type=_Rate(highest=math.inf), metavar="N|max", help="In addition to the file, generate this many events per second."),
)  # fmt: skip
_LOG = (
    click.option("--retain-bytes", default=256 * 1024 * 1024, type=click.IntRange(65536), help="Size of the log that is kept; older events are dropped."),
    click.option("--log-dir", type=_FOLDER, help="Keep the log on disk: it survives restarts and kill -9."),
    click.option("--fsync", default="second", type=click.Choice(FSYNC_POLICIES), help="When the files in --log-dir are forced to disk."),
    click.option("--ledger", type=click.Path(path_type=Path, dir_okay=False), help="Record every event of the log in this file, for win-event-verify."),
)  # fmt: skip
_SERVER = (
    click.option("--host", default="127.0.0.1", envvar="WIN_EVENT_HOST", show_envvar=True, help="Name or address to listen on; :: means every address."),
    click.option("--port", default=PRODUCER_PORT, envvar="WIN_EVENT_PORT", show_envvar=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free port and prints it."),
    click.option("--max-clients", default=1024, type=click.IntRange(1), help="Number of clients; more are refused."),
    click.option("--slow-client", default="disconnect", type=click.Choice(SLOW_CLIENT_POLICIES), help="What to do with a client that falls behind the start of the log. block: generation waits for it."),
    click.option("--plain-resume", type=click.IntRange(0), metavar="BYTES", help="Send a plain client that reconnects the last BYTES again."),
    click.option("--heartbeat", default=15.0, type=FiniteFloat(0.1), help="Seconds of silence before a plain client gets an empty line."),
    click.option("--user-timeout", default=300.0, type=FiniteFloat(1.0, 86400.0), help="Seconds until a client that accepts no data is disconnected."),
    click.option("--tls-cert", type=_FILE, help="Serve TLS with this PEM certificate."),
    click.option("--tls-key", type=_FILE, help="Private key of the certificate."),
    click.option("--tls-client-ca", type=_FILE, help="Clients must show a certificate signed by this authority."),
)  # fmt: skip

_VERBOSE = (click.option("-v", "--verbose", is_flag=True, help="Also log every client."),)
_HTTP = (
    click.option("--http-port", type=click.IntRange(0, 65535), help="Serve the HTTP API on this port: events, control, /healthz, /readyz, /metrics, /docs."),
    click.option("--http-host", default="127.0.0.1", help="Name or address to listen on for HTTP."),
    click.option("--http-allow-host", multiple=True, metavar="NAME", help="Another host name that clients may use for this server; repeat it."),
    click.option("--http-max-body", "http_body", default=_LIMITS.body, type=click.IntRange(1024), metavar="BYTES", help="Limit of a posted body, unpacked."),
    click.option("--http-max-stream", "http_stream", default=_LIMITS.stream, type=click.IntRange(1024), metavar="BYTES", help="Limit of a posted NDJSON body, which is read as it arrives."),
    click.option("--http-max-header", "http_header", default=_LIMITS.header, type=click.IntRange(1024), metavar="BYTES", help="Limit of the head of a request."),
    click.option("--http-timeout", "http_seconds", default=_LIMITS.seconds, type=FiniteFloat(0.1), metavar="SECONDS", help="Time limit of a request."),
    click.option("--http-max-connections", "http_connections", default=_LIMITS.connections, type=click.IntRange(1), help="HTTP connections at the same time."),
    click.option("--http-max-requests", "http_requests", default=_LIMITS.requests, type=click.IntRange(1), help="HTTP requests in progress at the same time."),
)  # fmt: skip


def producer_options(command: Command) -> Command:
    """Add all options, in the order in which --help shows them."""
    for option in reversed(_PACE + _EVENTS + _FILES + _LOG + _SERVER + _HTTP + _VERBOSE):
        command = option(command)
    return command
