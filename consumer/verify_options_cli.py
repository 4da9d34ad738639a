"""The options of win-event-verify, by group, and the conversion of their texts to settings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from consumer.tail.event_filter import FilterError, parse_since
from consumer.verify.audit.audit import Expectations
from consumer.verify.audit.report import Rules
from consumer.verify.expected.references import LedgerReference, Reference, SeedReference
from consumer.verify.expected.seed import Seed
from consumer.verify.records.file_records import S3
from consumer.verify.records.kafka_records import Topic
from consumer.verify.records.kinesis_records import Stream
from consumer.verify.verify import AuditSettings, VerifySettings
from kafka_setup.connection.options import take_connection
from kafka_setup.connection.settings import KafkaConnection
from kafka_setup.defaults import REJECTED_TOPIC
from producer.event_fields import KEY_FIELDS
from producer.events.catalogue.event_catalogue import PROFILES
from producer.events.formats import FORMATS
from producer.events.generator_settings import GeneratorSettings
from producer.events.timeline.rate_pattern import RATE_PATTERNS
from producer.run_options_cli import moment, seconds, shares
from toolkit.options import FiniteFloat

Command = TypeVar("Command", bound=Callable[..., Any])

NO_KEY = "none"
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


def _option(*names: str, env: str = "", **how: Any) -> Callable[[Command], Command]:
    variable = f"WIN_EVENT_{env}" if env else f"WIN_EVENT_VERIFY_{names[0][2:].upper().replace('-', '_')}"
    return click.option(*names, envvar=variable, show_envvar=True, **how)


def _readable(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value and not value.startswith(S3) and not Path(value).exists():
        raise click.BadParameter(f"{value!r} does not exist")
    return value


_WHAT = (
    _option("--topic", env="TOPIC", help="Kafka topic to audit."),
    _option("--rejected-topic", env="REJECTED_TOPIC", help="Also read this topic and count its lines by reason; an event in it is not lost."),
    _option("--file", callback=_readable, metavar="PATH", help="Audit NDJSON instead of a topic: a file, or an archive (a folder or s3://BUCKET/PREFIX), of which the complete parts are read."),
    _option("--kinesis", metavar="STREAM", help="Audit this Amazon Kinesis stream instead of a topic, from its oldest record. boto3 finds endpoint, region and login in its usual places."),
    _option("--rejected", is_flag=True, help="Do not audit: show the rejected lines, counted by reason and endpoint, with the newest lines of each reason."),
    _option("--limit", default=5, show_default=True, type=click.IntRange(0), help="With --rejected: number of lines shown for each reason."),
    _option("--since", metavar="TIME", help="Ignore older events: 30s, 15m, 2h, 1d (ago), or an ISO time."),
    _option("--run", default="", metavar="ID", help="Audit only this run: its number in the table, or the first characters of its log id."),
    _option("--read-committed", is_flag=True, help="Skip records of open and aborted transactions."),
    _option("--follow", is_flag=True, help="Keep reading new records; Ctrl-C ends the audit with its verdict."),
    _option("--idle-timeout", type=FiniteFloat(0, min_open=True), metavar="SECONDS", help="With --follow: end when no record came for this long."),
)  # fmt: skip
_AGAINST = (
    _option("--ledger", "ledgers", multiple=True, type=_FILE, help="Compare with the ledger of win-event-producer; give it once for each run in the topic."),
    _option("--seed", type=click.IntRange(0), help="Generate the run again and compare every byte."),
    _option("--count", type=click.IntRange(1), help="With --seed: number of events of the run."),
)  # fmt: skip
_RUN = (
    _option("--hosts", type=click.IntRange(1, 100_000), help="With --seed: set this option and the next ten to the producer's values."),
    _option("--profile", type=click.Choice(PROFILES), help="Kind of computers."),
    _option("--format", "fmt", type=click.Choice(sorted(FORMATS)), help="Shape of an event."),
    _option("--labels", is_flag=True, default=None, help="The events have labels."),
    _option("--scenario", "scenarios", multiple=True, default=None, metavar="NAME[@S|@N/h]", help="Injected attacks."),
    _option("--channel-mix", metavar="S/S/A", callback=lambda *given: shares(*given) if given[2] else None, help="Shares of Security, System and Application."),
    _option("--host-rate", type=FiniteFloat(0.001, 1e6), help="Events per second of one computer."),
    _option("--rate-pattern", type=click.Choice(RATE_PATTERNS), help="How the rate varied around its mean."),
    _option("--backfill", metavar="24h", callback=lambda *given: seconds(*given) if given[2] else None, help="Length of the history that came first."),
    _option("--start-time", metavar="ISO8601", callback=moment, help="Start of event time; without it, times are not compared."),
    _option("--catalogue", type=_FOLDER, help="Folder of catalogue files."),
)  # fmt: skip
_RULES = (
    _option("--exactly-once", is_flag=True, help="Duplicates also fail the audit. Of a topic, only committed records count, as with --read-committed."),
    _option("--allow-duplicates", is_flag=True, help="Duplicates are only counted. This is the default."),
    _option("--complete", is_flag=True, help="The run is over, so an event that was not seen is lost. --count and a ledger that the producer ended have the same effect."),
    _option("--any-order", is_flag=True, help="A wrong order of events does not fail the audit."),
    _option("--allow-gaps", is_flag=True, help="Missing record ids do not fail the audit. For logs that were filtered or only partly forwarded."),
    _option("--key-field", env="KEY_FIELD", default=",".join(KEY_FIELDS), metavar="FIELD,…", help="Fields for the key of a record, as in the bridge: the first one that the event has is used. none: accept any key. The default is the computer in the usual shapes."),
)  # fmt: skip
_OUTPUT = (
    _option(
        "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, and examples on stderr."
    ),
)
_RUN_OPTIONS = (
    "hosts", "profile", "fmt", "labels", "scenarios", "channel_mix", "host_rate", "rate_pattern", "backfill",
    "start_time", "catalogue",
)  # fmt: skip


def verify_options(command: Command) -> Command:
    """Add all options, except those of Kafka's connection, in the order in which --help shows them."""
    for option in reversed(_WHAT + _AGAINST + _RUN + _RULES + _OUTPUT):
        command = option(command)
    return command


def rejected_topic_of(values: dict[str, Any]) -> Topic:
    """The topic whose lines --rejected shows. Raises click.UsageError."""
    for name in ("file", "kinesis", "ledgers", "seed", "follow"):
        if values[name] and (values[name] is not None):
            raise click.UsageError(f"--rejected audits nothing: leave --{name.rstrip('s')} out")
    topic = values["rejected_topic"] or os.environ.get("KAFKA_REJECTED_TOPIC") or REJECTED_TOPIC
    return Topic(take_connection(values, "reader"), topic, values["read_committed"])


def settings_of(values: dict[str, Any]) -> VerifySettings:
    """Raises click.UsageError."""
    _refuse_contradictions(values)
    elsewhere = values["file"] or (Stream(values["kinesis"]) if values["kinesis"] else None)
    rejected = values["rejected_topic"] if not elsewhere or _typed("rejected_topic") else None
    connection = take_connection(values, "reader") if rejected or not elsewhere else None

    def kafka_topic(name: str, **how: Any) -> Topic:
        return Topic(cast(KafkaConnection, connection), name, values["read_committed"], **how)

    following = {"follow": values["follow"], "idle_seconds": values["idle_timeout"]}
    values["read_committed"] |= values["exactly_once"] and not elsewhere
    return VerifySettings(
        source=elsewhere or kafka_topic(values["topic"], **following),
        rejected=kafka_topic(rejected) if rejected else None,
        audit=_audit_settings(values),
    )


def _audit_settings(values: dict[str, Any]) -> AuditSettings:
    ordered = not values["any_order"]
    return AuditSettings(
        reference=_reference(values),
        rules=Rules(
            exactly_once=values["exactly_once"],
            complete=values["complete"],
            ordered=ordered,
            allow_gaps=values["allow_gaps"],
            run=values["run"],
        ),
        expectations=Expectations(
            keyed=not values["file"],
            key_fields=_key_fields(values["key_field"]),
            ordered=ordered,
            since_ms=since_of(values["since"]),
        ),
    )


def _key_fields(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise click.UsageError("--key-field: give a field, several with commas, or none")
    return () if names == (NO_KEY,) else names


def since_of(text: str | None) -> int | None:
    try:
        return parse_since(text, int(time.time() * 1000)) if text else None
    except FilterError as error:
        raise click.UsageError(f"--since: {error}") from error


def _refuse_contradictions(values: dict[str, Any]) -> None:
    seed, count, ledgers = values["seed"], values["count"], values["ledgers"]
    other = next((name for name in ("file", "kinesis") if values[name]), None)
    given = [name for name in _RUN_OPTIONS if values[name] not in (None, ())]
    if given and seed is None:
        raise click.UsageError(f"--{_spelled(given[0])} needs --seed")
    for wrong, why in (
        (values["file"] and values["kinesis"], "--file and --kinesis exclude each other"),
        (other and _typed("topic"), f"--topic and --{other} exclude each other"),
        (not other and not values["topic"], "give --topic NAME, --file PATH or --kinesis STREAM"),
        (values["exactly_once"] and values["allow_duplicates"], "--exactly-once and --allow-duplicates exclude each other"),
        (ledgers and seed is not None, "--ledger and --seed exclude each other"),
        (other and values["follow"], "--follow is for topics"),
        (other and values["read_committed"], "--read-committed is for topics"),
        ((seed is None) != (count is None), "--seed and --count go together"),
        (values["allow_gaps"] and (ledgers or seed is not None), "--allow-gaps is for an audit without --ledger and --seed: these say what must be there"),
    ):  # fmt: skip
        if wrong:
            raise click.UsageError(why)


def _spelled(name: str) -> str:
    return {"fmt": "format", "scenarios": "scenario"}.get(name, name.replace("_", "-"))


def _reference(values: dict[str, Any]) -> Reference | None:
    if values["ledgers"]:
        return LedgerReference(values["ledgers"])
    if values["seed"] is None:
        return None
    run = {name: values[name] for name in _RUN_OPTIONS if values[name] not in (None, ())}
    return SeedReference(Seed(GeneratorSettings(seed=values["seed"], **run), values["count"]))


def _typed(option: str) -> bool:
    """Whether the option is on the command line, not only in the environment."""
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE
