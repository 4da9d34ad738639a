"""win-event-forward-kinesis: the command line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
from prometheus_client import start_http_server

from forward.counts import ForwardMetrics
from forward.forwarder import Forwarder, ForwardSettings
from forward.stream import Stream, StreamError
from forward.topic import TopicError, TopicSettings
from kafka_setup.connection.options import kafka_connection_options, take_connection
from kafka_setup.defaults import ALERTS_TOPIC
from toolkit.options import FiniteFloat

Command = TypeVar("Command", bound=Callable[..., Any])


def _option(name: str, variable: str, **how: Any) -> Callable[[Command], Command]:
    return click.option(
        name, envvar=f"WIN_EVENT_FORWARD_{variable}", show_envvar=True, show_default=True, **how
    )


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok, 1 the work failed, 2 usage, 130 interrupted before it began.",
)
@click.version_option(package_name="win-event-bridge")
@_option("--topic", "TOPIC", default=ALERTS_TOPIC, help="Kafka topic to read.")
@_option("--stream", "STREAM", required=True, metavar="NAME", help="Kinesis stream to write.")
@_option("--create-stream", "CREATE_STREAM", is_flag=True, help="Create the stream if it does not exist.")
@_option(
    "--shards", "SHARDS", default=1, type=click.IntRange(1), help="With --create-stream: number of shards."
)
@_option(
    "--group", "GROUP", default="win-event-forward-kinesis", help="Consumer group that stores the positions."
)
@_option(
    "--start-from", "START_FROM", type=click.Choice(["earliest", "latest"]), default="earliest",
    help="Where to begin if the group has no position yet.",
)  # fmt: skip
@_option(
    "--bounded",
    "BOUNDED",
    is_flag=True,
    help="Stop at the offsets that were the end when it started; such a run needs the group for itself.",
)
@_option(
    "--give-up-after", "GIVE_UP_AFTER", default=300.0, type=FiniteFloat(0, min_open=True),
    metavar="SECONDS",
    help="End with exit code 1 if the stream accepts nothing, or Kafka does not answer, for this long.",
)  # fmt: skip
@_option("--metrics-host", "METRICS_HOST", default="127.0.0.1", help="Address to serve metrics on.")
@_option(
    "--metrics-port", "METRICS_PORT", type=click.IntRange(0, 65535), default=None,
    help="Serve Prometheus metrics on this port; 0 takes a free port and prints it. Default: no metrics.",
)  # fmt: skip
@kafka_connection_options
def main(**values: Any) -> None:
    """Forward a Kafka topic to an Amazon Kinesis stream: at least once, in the order of every key.

    The Kafka key is the partition key. Positions are committed when Kinesis has answered. Endpoint, region
    and login come from boto3's usual sources: AWS_ENDPOINT_URL_KINESIS, AWS_REGION, AWS_ACCESS_KEY_ID,
    profiles. SIGTERM and Ctrl-C send what was read, commit and end.

    \b
    Examples:
      win-event-forward-kinesis --topic alerts --stream win-event-alerts
      win-event-forward-kinesis --topic events_processed --stream events --create-stream --shards 4
    """
    settings = _settings(values)
    try:
        forwarder = Forwarder(settings, Stream(settings.stream), _say)
        _serve_metrics(forwarder, values["metrics_host"], values["metrics_port"])
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        forwarder.open()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: forwarder.stop())
        _run(forwarder)
    except KeyboardInterrupt:
        sys.exit(130)
    except (StreamError, TopicError) as error:
        _say(str(error))
        sys.exit(1)


def _run(forwarder: Forwarder) -> None:
    try:
        forwarder.run()
    finally:
        click.echo(forwarder.counts.text(forwarder.topic.name, forwarder.settings.stream))
    if left := forwarder.window.records:
        raise StreamError(f"{left:,} records were read but not accepted in time: the next start sends them")


def _serve_metrics(forwarder: Forwarder, host: str, port: int | None) -> None:
    if port is None:
        return
    metrics = ForwardMetrics(forwarder.counts, lambda: forwarder.window.records)
    try:
        server, _ = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise StreamError(
            f"cannot listen on {host}:{port}: {error.strerror}; try another --metrics-port"
        ) from error
    _say(f"metrics on http://{host}:{server.server_port}/metrics")


def _settings(values: dict[str, Any]) -> ForwardSettings:
    connection = take_connection(values, "forwarder")
    return ForwardSettings(
        topic=TopicSettings(connection, values["topic"], values["group"], values["start_from"]),
        stream=values["stream"],
        create_shards=values["shards"] if values["create_stream"] else None,
        bounded=values["bounded"],
        give_up_after=values["give_up_after"],
    )


def _say(text: str) -> None:
    click.echo(f"win-event-forward-kinesis: {text}", err=True)


if __name__ == "__main__":
    main()
