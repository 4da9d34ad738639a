"""win-event-tail: the command line."""

from __future__ import annotations

import re
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.live import Live

from consumer.log_client.bookmark import BookmarkError, BookmarkFile
from consumer.log_client.stream_connection import StreamError
from consumer.log_client.stream_reader import ReadSettings
from consumer.standard_output import painter, table_console, write_stdout
from consumer.tail.event_filter import (
    EventFilter,
    FilterError,
    parse_ids,
    parse_levels,
    parse_names,
    parse_since,
    parse_where,
)
from consumer.tail.event_sink import Wanted
from consumer.tail.stats import StreamStats, stats_view
from consumer.tail.tail import Tail, TailSettings
from consumer.tail.view import Render, fields, full, pretty, raw
from producer.endpoint import Endpoint, EndpointError, parse_endpoint
from toolkit.addresses import PRODUCER_PORT
from toolkit.options import FiniteFloat, read_environment

_FILE = click.Path(path_type=Path, dir_okay=False)
_EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok, 1 the stream could not be read, 2 usage, 130 interrupted.",
)
@click.version_option(package_name="win-event-bridge")
@click.argument("endpoints", nargs=-1, metavar="[HOST[:PORT]]...")
@click.option(
    "--host",
    envvar="WIN_EVENT_HOST",
    show_envvar=True,
    default="127.0.0.1",
    show_default=True,
    help="Where to connect when no HOST:PORT is given.",
)
@click.option(
    "--port",
    envvar="WIN_EVENT_PORT",
    show_envvar=True,
    default=PRODUCER_PORT,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="The port of --host.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["pretty", "json", "full", "fields"]),
    help="Default: pretty on a terminal, json (the unchanged line) in a pipe.",
)
@click.option(
    "--fields",
    "field_list",
    metavar="NAME,…",
    help="Print these fields, separated by tabs: level,event_id,data.LogonType.",
)
@click.option(
    "--level", multiple=True, metavar="NAME,…", help="Only these levels; warning+ means warning and worse."
)
@click.option("--source", multiple=True, metavar="NAME,…", help="Only these channels; * and ? are wildcards.")
@click.option("--event-id", multiple=True, metavar="ID,…", help="Only these event ids.")
@click.option(
    "--computer", multiple=True, metavar="NAME,…", help="Only these computers; you may omit the domain."
)
@click.option(
    "--event-type",
    multiple=True,
    metavar="NAME,…",
    help="Only these types: success or failure (of an audit), or a level.",
)
@click.option("--account", multiple=True, metavar="NAME,…", help="Only events about these accounts.")
@click.option(
    "--address", multiple=True, metavar="ADDRESS,…", help="Only events with these source addresses."
)
@click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Only events whose field has this value, or with FIELD!=VALUE another one. FIELD is level, "
    "event_id, account, … or a path such as data.LogonType; VALUE may contain * and ?. If you repeat the "
    "option, an event must match all of them.",
)
@click.option("--grep", metavar="REGEX", help="Only events whose JSON line matches; (?i) ignores case.")
@click.option(
    "--since", metavar="TIME", help="Only events since then: 30s, 15m, 2h, 1d (ago), or an ISO time."
)
@click.option("-n", "--count", type=click.IntRange(1), help="End after this many events.")
@click.option(
    "--duration", type=FiniteFloat(0, min_open=True), metavar="SECONDS", help="End after this time."
)
@click.option("--stats", is_flag=True, help="Show totals, rate and missing record ids instead of events.")
@click.option("--from-start", is_flag=True, help="Begin with the oldest event that the producer keeps.")
@click.option("--bookmark", type=_FILE, help="Continue where the last run with this file ended.")
@click.option("--strict", is_flag=True, help="Fail if events that are needed are no longer kept.")
@click.option("--no-reconnect", is_flag=True, help="End when the connection ends; fail if it is refused.")
@click.option("--tls", is_flag=True, help="Connect with TLS.")
@click.option(
    "--tls-ca", type=_EXISTING_FILE, help="Trust this certificate authority instead of the system's."
)
@click.option("--tls-cert", type=_EXISTING_FILE, help="Client certificate.")
@click.option(
    "--tls-key", type=_EXISTING_FILE, help="Key of the client certificate, if it is in a separate file."
)
def main(**values: Any) -> None:
    """Print the events of one or several producers as they arrive.

    Every option is also read from the environment.

    \b
    Examples:
      win-event-tail
      win-event-tail --level warning+ --source Security,System 127.0.0.1:9999
      win-event-tail --event-type failure --where 'data.IpAddress=10.*'
      win-event-tail --bookmark events.bookmark --output json >> events.ndjson
    """
    try:
        settings = _settings(values)
        sys.exit(_run(settings, as_json=values["output"] == "json"))
    except (EndpointError, FilterError) as error:
        raise click.UsageError(str(error)) from error
    except (StreamError, BookmarkError, OSError) as error:
        _say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


read_environment(main, "WIN_EVENT_TAIL")


def _run(settings: TailSettings, as_json: bool) -> int:
    tail = Tail(settings, write_stdout, _say)
    stats = settings.wanted.stats
    try:
        if stats is None:
            tail.run()
        else:
            screen = Console(stderr=True)
            with Live(console=screen, transient=True, auto_refresh=False) as live:
                tail.run(lambda: live.update(stats_view(stats, live=True), refresh=screen.is_terminal))
    finally:
        for note in tail.notes():
            _say(note)
        if stats is not None:
            _print_stats(stats, as_json)
    return 0


def _print_stats(stats: StreamStats, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(stats.as_json()))
    else:
        table_console().print(stats_view(stats, live=False))


def _settings(values: dict[str, Any]) -> TailSettings:
    if values["strict"] and not (values["bookmark"] or values["from_start"]):
        raise click.UsageError("--strict needs --bookmark or --from-start")
    endpoints = [parse_endpoint(text) for text in values["endpoints"]]
    return TailSettings(
        endpoints=tuple(endpoints) or (Endpoint(values["host"], values["port"]),),
        reading=ReadSettings(reconnect=not values["no_reconnect"], tls=_tls(values)),
        wanted=Wanted(
            filter=_filter(values),
            count=values["count"],
            render=_render(values),
            stats=StreamStats(time.monotonic) if values["stats"] else None,
        ),
        duration=values["duration"],
        bookmark=BookmarkFile(values["bookmark"]) if values["bookmark"] else None,
        from_start=values["from_start"],
        strict=values["strict"],
    )


def _filter(values: dict[str, Any]) -> EventFilter:
    try:
        grep = re.compile(values["grep"]) if values["grep"] is not None else None
    except re.error as error:
        raise FilterError(f"--grep {values['grep']!r}: {error}") from error
    since = values["since"]
    return EventFilter(
        levels=parse_levels(values["level"]),
        sources=parse_names(values["source"]),
        event_ids=parse_ids(values["event_id"]),
        computers=parse_names(values["computer"]),
        event_types=parse_names(values["event_type"]),
        accounts=parse_names(values["account"]),
        addresses=parse_names(values["address"]),
        where=parse_where(values["where"]),
        grep=grep,
        since_ms=parse_since(since, int(time.time() * 1000)) if since else None,
    )


def _render(values: dict[str, Any]) -> Render:
    console = Console()
    output = values["output"] or ("pretty" if console.is_terminal else "json")
    paths = tuple(name.strip() for name in (values["field_list"] or "").split(",") if name.strip())
    if paths and values["output"] in (None, "fields"):
        return fields(paths)
    if paths or output == "fields":
        raise click.UsageError("--output fields and --fields NAME,… go together")
    if output == "pretty":
        return pretty(console.width if console.is_terminal else None, painter(console))
    return full(painter(console)) if output == "full" else raw


def _tls(values: dict[str, Any]) -> ssl.SSLContext | None:
    ca_file, cert_file, key_file = (values[f"tls_{name}"] for name in ("ca", "cert", "key"))
    if not values["tls"]:
        if ca_file or cert_file or key_file:
            raise click.UsageError("the --tls-… files need --tls")
        return None
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if cert_file:
            context.load_cert_chain(cert_file, key_file)
    except ssl.SSLError as error:
        raise click.UsageError(f"cannot use the --tls-… files: {error.reason or error}") from error
    return context


def _say(sentence: str) -> None:
    click.echo(f"win-event-tail: {sentence}", err=True)
