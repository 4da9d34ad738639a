"""The options of the bridge: the command line and the environment become one BridgeSettings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from flink_bridge.job_options_cli import (
    check_option,
    checkpoint_option,
    delivery_options,
    job_name_option,
    start_option,
)
from flink_bridge.jvm.field_path import FieldPathError, first_of, parse_fields
from flink_bridge.kafka.options_cli import KAFKA_OPTIONS, take_kafka
from flink_bridge.kafka.settings import KafkaSettingsError
from flink_bridge.presets import PRESETS
from flink_bridge.settings import BridgeSettings, EventSettings, SettingsError, parse_endpoints
from kafka_setup.connection.jaas import JaasError
from kafka_setup.connection.options import option
from kafka_setup.defaults import EVENTS_TOPIC, REJECTED_TOPIC
from producer.endpoint import EndpointError
from producer.event_fields import KEY_FIELDS, TIMESTAMP_FIELDS
from toolkit.addresses import PRODUCER_PORT

Command = TypeVar("Command", bound=Callable[..., Any])


_OPTIONS = (
    option(
        "--source",
        "WIN_EVENT_SOURCE",
        type=click.Choice(["auto", "resume", "socket"]),
        default="auto",
        help="auto: reads a win-event-producer without loss, and any other server as plain lines. resume: "
        "refuses other servers. socket: uses Flink's own socketTextStream.",
    ),
    option(
        "--hostname",
        "WIN_EVENT_HOSTNAME",
        default="127.0.0.1",
        metavar="HOST[:PORT],…",
        help="Servers of lines; several are read in parallel.",
    ),
    option(
        "--port",
        "WIN_EVENT_PORT",
        type=click.IntRange(1, 65535),
        default=PRODUCER_PORT,
        help="Port for hosts without a port.",
    ),
    KAFKA_OPTIONS[0],
    option("--kafka-topic", "KAFKA_TOPIC", default=EVENTS_TOPIC, help="Topic for events."),
    option(
        "--kafka-rejected-topic",
        "KAFKA_REJECTED_TOPIC",
        default=REJECTED_TOPIC,
        help="Topic for lines that are not events, with the headers `reason` and `endpoint`.",
    ),
    *KAFKA_OPTIONS[1:],
    option(
        "--preset",
        "WIN_EVENT_PRESET",
        type=click.Choice(list(PRESETS)),
        help="Set --key-field, --timestamp-field and --headers for events of this tool. If you also give one "
        "of these options, your value is used.",
    ),
    option(
        "--key-field",
        "WIN_EVENT_KEY_FIELD",
        default=",".join(KEY_FIELDS),
        metavar="FIELD,…",
        help="Fields for the record's key; the first one that the line has is used. A name with dots, a.b, "
        "may be nested ({a: {b: …}}) or one name. The default knows the usual shapes of Windows events.",
    ),
    option(
        "--event-timestamps/--no-event-timestamps",
        "WIN_EVENT_EVENT_TIMESTAMPS",
        default=True,
        help="Set the record's timestamp to the event's own time. Otherwise, and for a line without a time, "
        "it is the time of arrival.",
    ),
    option(
        "--timestamp-field",
        "WIN_EVENT_TIMESTAMP_FIELD",
        default=",".join(TIMESTAMP_FIELDS),
        metavar="FIELD,…",
        help="Fields for the event's time; the first one that the line has is used, as in --key-field.",
    ),
    option(
        "--timestamp-zone",
        "WIN_EVENT_TIMESTAMP_ZONE",
        default="UTC",
        metavar="ZONE",
        help="Zone for times without a zone: UTC, +01:00, Europe/Berlin.",
    ),
    option(
        "--too-old",
        "WIN_EVENT_TOO_OLD",
        type=click.Choice(["keep", "now", "reject"]),
        default="now",
        help="What to do with an event that is older than the topic's retention. now: its record gets the "
        "time of arrival, and its own time in the header event-time. keep: it keeps its own time, but Kafka "
        "soon deletes it. reject: it is rejected as too-old.",
    ),
    option(
        "--headers",
        "WIN_EVENT_HEADERS",
        default="",
        metavar="FIELD,…",
        help="Fields that become record headers, such as source,level,event_id; a.b as in --key-field.",
    ),
    option(
        "--require",
        "WIN_EVENT_REQUIRE",
        default="",
        metavar="FIELD,…",
        help="Required fields, besides the key: a line without one of them is rejected.",
    ),
    option(
        "--max-line",
        "WIN_EVENT_MAX_LINE",
        type=click.IntRange(1, 900_000),  # Kafka's producer takes 1 MiB with key and headers
        default=65_536,
        metavar="BYTES",
        help="Longer lines are rejected.",
    ),
    start_option("Where a job without a saved position begins in the producer's log."),
    option(
        "--on-gap",
        "WIN_EVENT_ON_GAP",
        type=click.Choice(["continue", "fail"]),
        default="continue",
        help="What to do if the producer no longer has the next events. fail ends the job.",
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
        help="Client certificate, if the producer asks for one (PEM), on every TaskManager.",
    ),
    option(
        "--tls-key",
        "WIN_EVENT_TLS_KEY",
        metavar="FILE",
        help="Key of the client certificate (PEM, PKCS#8 without password), on every TaskManager.",
    ),
    *delivery_options(
        "records",
        "For exactly-once: each job on the same cluster needs its own. The default is win-event-bridge, "
        "the topic, and a number made of topics and endpoints.",
    ),
    option(
        "--sink-parallelism",
        "WIN_EVENT_SINK_PARALLELISM",
        type=click.IntRange(min=1),
        metavar="N",
        help="Number of Kafka writers. With more than one, events of one computer may lose their order.",
    ),
    checkpoint_option(),
    check_option("the login and the topics"),
    job_name_option(),
)


def bridge_options(command: Command) -> Command:
    for each in reversed(_OPTIONS):
        command = each(command)
    return command


def take_settings(values: dict[str, Any]) -> BridgeSettings:
    """One BridgeSettings from the option values; settings that cannot work are a usage error (exit 2)."""
    _refuse_without_positions(values["source"])
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


def _refuse_without_positions(source: str) -> None:
    """Flink's own source knows no positions: an option about them would promise what it does not keep."""
    source_of = click.get_current_context().get_parameter_source
    for name, option_name in (("start_from", "--start-from"), ("on_gap", "--on-gap")):
        if source == "socket" and source_of(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(
                f"--source socket is Flink's own, which has no position in a log, so {option_name} has no "
                "meaning: leave it out, or use --source auto"
            )


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
    """The values of the preset for the options that were not given."""
    if name is None:
        return {}
    source_of = click.get_current_context().get_parameter_source
    return {
        option: value
        for option, value in PRESETS[name]._asdict().items()
        if source_of(option) is ParameterSource.DEFAULT
    }
