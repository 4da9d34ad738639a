"""win-event-console: one live page and a read API over the whole pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from console.cache.settings import CacheServer, CacheSettingsError, has_password, read_url
from console.settings import Settings, Topics
from console.web.server import ListenError, serve
from kafka_setup.connection.options import kafka_connection_options, take_connection
from kafka_setup.connection.settings import ConnectionSettingsError, read_password
from toolkit.addresses import is_loopback

_DEFAULTS = Topics()
Command = TypeVar("Command", bound=Callable[..., Any])


def _option(name: str, variable: str, *others: str, **more: Any) -> Callable[[Command], Command]:
    """`others`: variables that are read if WIN_EVENT_VARIABLE is not set."""
    first = f"WIN_EVENT_{variable}"
    variables = [first, *others] if others else first
    return click.option(name, envvar=variables, show_envvar=True, show_default=True, **more)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="win-event-bridge")
@_option(
    "--host",
    "CONSOLE_HOST",
    default="127.0.0.1",
    help="Address to listen on; other addresses than loopback need a token.",
)
@_option(
    "--port",
    "CONSOLE_PORT",
    default=Settings.port,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free port and prints it.",
)
@_option(
    "--allow-host",
    "CONSOLE_ALLOW_HOST",
    multiple=True,
    metavar="NAME",
    help="Another host name that browsers may use for this console.",
)
@_option("--flink-url", "FLINK_URL", default=Settings.flink_url, help="Flink's REST API; empty for none.")
@_option(
    "--producer-url",
    "PRODUCER_URL",
    default=Settings.producer_url,
    help="The producer's HTTP API; empty for none.",
)
@_option(
    "--events-topic",
    "EVENTS_TOPIC",
    "KAFKA_TOPIC",
    default=_DEFAULTS.events,
    help="Topic of the events.",
)
@_option(
    "--rejected-topic",
    "REJECTED_TOPIC",
    "KAFKA_REJECTED_TOPIC",
    default=_DEFAULTS.rejected,
    help="Topic of the rejected lines.",
)
@_option(
    "--result-topic",
    "RESULT_TOPIC",
    multiple=True,
    metavar="RESULT=TOPIC",
    help="Another topic for a result, as in analytics/job.py; repeat it.",
)
@_option(
    "--max-rate",
    "CONSOLE_MAX_RATE",
    default=20_000,
    type=click.IntRange(100),
    help="Largest number of events to read per second; more are skipped and counted.",
)
@_option(
    "--cache",
    "CACHE",
    metavar="URL",
    help="Valkey or Redis server that stores the API's answers: redis://HOST:6379/0, rediss:// for TLS.",
)
@kafka_connection_options
def main(**values: Any) -> None:
    """Serve the live page and the read API, until stopped.

    The Kafka user only reads. The producer's token (WIN_EVENT_HTTP_TOKEN or …_FILE) stays here; no browser
    sees it. WIN_EVENT_CONSOLE_TOKEN (or …_FILE) protects the console itself. The password of the cache comes
    from WIN_EVENT_CACHE_PASSWORD (or …_FILE), or is in the address in WIN_EVENT_CACHE.

    \b
    Examples:
      KAFKA_USERNAME=observer KAFKA_PASSWORD_FILE=secrets/observer win-event-console
      win-event-console --port 8090 --flink-url http://127.0.0.1:8081 --producer-url ""
    """
    try:
        serve(_settings(values), lambda url: click.echo(f"console on {url}", err=True))
    except (ListenError, CacheSettingsError) as error:
        raise click.ClickException(str(error)) from error


def _settings(values: dict[str, Any]) -> Settings:
    connection = take_connection(values, "observer")
    try:
        token = read_password(os.environ, "WIN_EVENT_CONSOLE_TOKEN")
        producer_token = read_password(os.environ, "WIN_EVENT_HTTP_TOKEN")
    except ConnectionSettingsError as error:
        raise click.UsageError(str(error)) from error
    if not is_loopback(values["host"]) and not token:
        raise click.UsageError(
            f"--host {values['host']} shows all events to the network: set WIN_EVENT_CONSOLE_TOKEN or …_FILE"
        )
    for name in ("flink_url", "producer_url"):
        if values[name] and not values[name].startswith(("http://", "https://")):
            raise click.UsageError(
                f"--{name.replace('_', '-')} {values[name]}: expected http:// or https:// at the beginning"
            )
    return Settings(
        kafka=connection,
        host=values["host"],
        port=values["port"],
        flink_url=values["flink_url"] or None,
        producer_url=values["producer_url"] or None,
        producer_token=producer_token,
        token=token,
        allowed_hosts=values["allow_host"],
        topics=_topics(values),
        max_rate=values["max_rate"],
        cache=_cache(values["cache"]),
    )


def _cache(url: str | None) -> CacheServer | None:
    if not url:
        return None
    try:
        found = read_url(url, read_password(os.environ, "WIN_EVENT_CACHE_PASSWORD"))
    except (CacheSettingsError, ConnectionSettingsError) as error:
        raise click.UsageError(f"--cache: {error}") from error
    from_argv = click.get_current_context().get_parameter_source("cache") is ParameterSource.COMMANDLINE
    if from_argv and has_password(url):
        raise click.UsageError(
            "--cache: every user of this machine can read a command line, so it must not have a password: "
            "set WIN_EVENT_CACHE_PASSWORD_FILE"
        )
    return found


def _topics(values: dict[str, Any]) -> Topics:
    pairs = [text.partition("=") for text in values["result_topic"]]
    if wrong := [name for name, equals, topic in pairs if not (name and equals and topic)]:
        raise click.UsageError(f"--result-topic {wrong[0]}: expected RESULT=TOPIC")
    topics = Topics(events=values["events_topic"], rejected=values["rejected_topic"])
    try:
        return topics.renamed({name: topic for name, _, topic in pairs})
    except KeyError as error:
        known = ", ".join((*_DEFAULTS.results, _DEFAULTS.late))
        raise click.UsageError(
            f"--result-topic {error.args[0]}: no such result; there are: {known}"
        ) from error


if __name__ == "__main__":
    main()
