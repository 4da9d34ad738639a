"""The options of the bridge: the command line and the environment become one BridgeSettings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from flink_bridge.jvm.field_path import FieldPathError, first_of, parse_fields
from flink_bridge.kafka.options_cli import KAFKA_OPTIONS, take_kafka
from flink_bridge.kafka.settings import KafkaSettingsError
from flink_bridge.presets import PRESETS
from flink_bridge.settings import BridgeSettings, EventSettings, SettingsError
from flink_bridge.sources.endpoints import parse_endpoints
from kafka_setup.connection.jaas import JaasError
from kafka_setup.connection.options import option
from producer.endpoint import EndpointError
from producer.event_fields import KEY_FIELDS, TIMESTAMP_FIELDS

Command = TypeVar("Command", bound=Callable[..., Any])


_OPTIONS = (
    option(
        "--source",
        "WIN_EVENT_SOURCE",
        type=click.Choice(["auto", "resume", "socket"]),
        default="auto",
        help="auto: win-event-producer without loss, any other server as plain lines. resume: refuses the "
        "others. socket: Flink's own socketTextStream.",
    ),
    option(
        "--hostname",
        "WIN_EVENT_HOSTNAME",
        default="127.0.0.1",
        metavar="HOST[:PORT],…",
        help="Where the lines come from; several are read side by side.",
    ),
    option(
        "--port",
        "WIN_EVENT_PORT",
        type=click.IntRange(1, 65535),
        default=9999,
        help="For the hosts that name no port.",
    ),
    KAFKA_OPTIONS[0],
    option("--kafka-topic", "KAFKA_TOPIC", default="events_processed", help="Where events go."),
    option(
        "--kafka-rejected-topic",
        "KAFKA_REJECTED_TOPIC",
        default="events_rejected",
        help="Where lines go that are no events, with headers `reason` and `endpoint`.",
    ),
    *KAFKA_OPTIONS[1:],
    option(
        "--preset",
        "WIN_EVENT_PRESET",
        type=click.Choice(list(PRESETS)),
        help="Sets --key-field, --timestamp-field and --headers for events of this tool; each that "
        "is given as well wins.",
    ),
    option(
        "--key-field",
        "WIN_EVENT_KEY_FIELD",
        default=",".join(KEY_FIELDS),
        metavar="FIELD,…",
        help="Fields of which the first that is there becomes the record's key. A name with dots, a.b, is "
        "read nested ({a: {b: …}}) and as one name. The default knows the usual shapes of Windows events.",
    ),
    option(
        "--event-timestamps/--no-event-timestamps",
        "WIN_EVENT_EVENT_TIMESTAMPS",
        default=True,
        help="The event's own time becomes the record's timestamp; without, and for a line that tells none, "
        "the time of its arrival.",
    ),
    option(
        "--timestamp-field",
        "WIN_EVENT_TIMESTAMP_FIELD",
        default=",".join(TIMESTAMP_FIELDS),
        metavar="FIELD,…",
        help="Fields of which the first that is there is the event's time; as --key-field.",
    ),
    option(
        "--timestamp-zone",
        "WIN_EVENT_TIMESTAMP_ZONE",
        default="UTC",
        metavar="ZONE",
        help="Zone of times that name none: UTC, +01:00, Europe/Berlin.",
    ),
    option(
        "--too-old",
        "WIN_EVENT_TOO_OLD",
        type=click.Choice(["keep", "now", "reject"]),
        default="now",
        help="An event older than what the topic keeps. now: its record gets the time of arrival, and its "
        "own time as header event-time. keep: its own time, but Kafka soon deletes it. reject: as too-old.",
    ),
    option(
        "--headers",
        "WIN_EVENT_HEADERS",
        default="",
        metavar="FIELD,…",
        help="Fields that become record headers, such as source,level,event_id; a.b as --key-field.",
    ),
    option(
        "--require",
        "WIN_EVENT_REQUIRE",
        default="",
        metavar="FIELD,…",
        help="Fields without which a line is rejected, besides the key.",
    ),
    option(
        "--max-line",
        "WIN_EVENT_MAX_LINE",
        type=click.IntRange(1, 900_000),  # Kafka's producer takes 1 MiB with key and headers
        default=65_536,
        metavar="BYTES",
        help="Longer lines are rejected.",
    ),
    option(
        "--start-from",
        "WIN_EVENT_START_FROM",
        type=click.Choice(["earliest", "latest"]),
        default="earliest",
        help="Where a job without saved position begins in the producer's log.",
    ),
    option(
        "--on-gap",
        "WIN_EVENT_ON_GAP",
        type=click.Choice(["continue", "fail"]),
        default="continue",
        help="What to do when the producer no longer has what comes next. fail ends the job.",
    ),
    option("--tls/--no-tls", "WIN_EVENT_TLS", default=False, help="Connect to the producer with TLS."),
    option(
        "--tls-ca-file",
        "WIN_EVENT_TLS_CA_FILE",
        metavar="FILE",
        help="Certificate authority of the producer (PEM), on every TaskManager.",
    ),
    option(
        "--tls-cert",
        "WIN_EVENT_TLS_CERT",
        metavar="FILE",
        help="Our certificate, for a producer that asks for one (PEM), on every TaskManager.",
    ),
    option(
        "--tls-key",
        "WIN_EVENT_TLS_KEY",
        metavar="FILE",
        help="Its key (PEM, PKCS#8 without password), on every TaskManager.",
    ),
    option(
        "--delivery-guarantee",
        "WIN_EVENT_DELIVERY_GUARANTEE",
        type=click.Choice(["at-least-once", "exactly-once"]),
        default="at-least-once",
        help="How records enter Kafka. exactly-once shows them at checkpoints, to read_committed readers.",
    ),
    option(
        "--transactional-id-prefix",
        "WIN_EVENT_TRANSACTIONAL_ID_PREFIX",
        metavar="PREFIX",
        help="exactly-once: different for each job that writes to the same cluster. By default "
        "win-event-bridge, the topic, and a number made of topics and endpoints.",
    ),
    option(
        "--transaction-timeout",
        "WIN_EVENT_TRANSACTION_TIMEOUT",
        type=click.IntRange(min=10),
        default=900,
        metavar="SECONDS",
        help="exactly-once: a job that is down for longer loses what it had not committed.",
    ),
    option(
        "--sink-parallelism",
        "WIN_EVENT_SINK_PARALLELISM",
        type=click.IntRange(min=1),
        metavar="N",
        help="Kafka writers; more than one gives up the order of one computer's events.",
    ),
    option(
        "--checkpoint-interval",
        "WIN_EVENT_CHECKPOINT_INTERVAL",
        type=click.FloatRange(min=0.1),
        default=5.0,
        metavar="SECONDS",
    ),
    option(
        "--check/--no-check",
        "WIN_EVENT_CHECK",
        default=True,
        help="Try the login and the topics before submitting.",
    ),
    option("--job-name", "WIN_EVENT_JOB_NAME", help="As Flink's UI shows it."),
)


def bridge_options(command: Command) -> Command:
    for each in reversed(_OPTIONS):
        command = each(command)
    return command


def take_settings(values: dict[str, Any]) -> BridgeSettings:
    """One BridgeSettings from the option values; what cannot work is a usage error (exit 2)."""
    try:
        return BridgeSettings(
            source=values["source"],
            endpoints=parse_endpoints(values["hostname"], values["port"]),
            kafka=take_kafka(values, any_password=True),
            topic=values["kafka_topic"],
            rejected_topic=values["kafka_rejected_topic"],
            events=_events(values),
            delivery=values["delivery_guarantee"],
            own_prefix=values["transactional_id_prefix"],
            transaction_timeout=values["transaction_timeout"],
            checkpoint_interval=values["checkpoint_interval"],
            sink_parallelism=values["sink_parallelism"],
            start_from=values["start_from"],
            fail_on_gap=values["on_gap"] == "fail",
            tls=values["tls"] or values["tls_ca_file"] is not None or values["tls_cert"] is not None,
            tls_ca_file=values["tls_ca_file"],
            tls_cert_file=values["tls_cert"],
            tls_key_file=values["tls_key"],
            job_name=values["job_name"],
        )
    except (EndpointError, FieldPathError, JaasError, KafkaSettingsError, SettingsError) as error:
        raise click.UsageError(str(error)) from error


def _events(values: dict[str, Any]) -> EventSettings:
    values = values | _preset(values["preset"])
    return EventSettings(
        key_field=first_of(parse_fields(values["key_field"])),
        timestamp_field=first_of(parse_fields(values["timestamp_field"])),
        event_timestamps=values["event_timestamps"],
        timestamp_zone=values["timestamp_zone"],
        too_old=values["too_old"],
        headers=parse_fields(values["headers"]),
        require=parse_fields(values["require"]),
        max_line=values["max_line"],
    )


def _preset(name: str | None) -> dict[str, str]:
    """What the preset says of the options that nobody has given."""
    if name is None:
        return {}
    source_of = click.get_current_context().get_parameter_source
    return {
        option: value
        for option, value in PRESETS[name]._asdict().items()
        if source_of(option) is ParameterSource.DEFAULT
    }
