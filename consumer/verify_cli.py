"""win-event-verify: the command line."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from datetime import timezone
from pathlib import Path
from typing import Any, cast

import click
import orjson
from click.core import ParameterSource

from consumer.errors import AuditError
from consumer.terminal import table_console
from consumer.verify.audit.report import Report, Rules
from consumer.verify.expected.judges import Judge, LedgerJudge, SeedJudge
from consumer.verify.expected.regenerated import Run
from consumer.verify.progress_view import AuditProgress
from consumer.verify.records.kafka_records import Topic
from consumer.verify.verify import VerifySettings, verify
from consumer.verify.view import finding_lines, report_view
from kafka_setup.connection.options import kafka_connection_options, take_connection
from kafka_setup.connection.settings import KafkaConnection
from producer.events.catalogue.event_catalogue import PROFILES
from producer.events.formats import FORMATS
from producer.events.generator_settings import GeneratorSettings

_EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_EXISTING_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_RUN_OPTIONS = ("hosts", "profile", "fmt", "labels", "start_time", "catalogue")


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok; 1 events are lost, corrupt or invented, or the audit could not be made; "
    "2 usage; 130 interrupted.",
)
@click.option("--topic", envvar="WIN_EVENT_TOPIC", show_envvar=True, help="Kafka topic to audit.")
@click.option(
    "--rejected-topic",
    envvar="WIN_EVENT_REJECTED_TOPIC",
    show_envvar=True,
    help="Count this topic by reason too; an event found there is not lost.",
)
@click.option("--file", type=_EXISTING_FILE, help="NDJSON file to audit instead of a topic.")
@click.option("--ledger", type=_EXISTING_FILE, help="Compare with what win-event-producer --ledger wrote.")
@click.option("--seed", type=click.IntRange(0), help="Generate the run again and compare every byte.")
@click.option("--count", type=click.IntRange(1), help="With --seed: how many events the run made.")
@click.option(
    "--hosts", type=click.IntRange(1, 100_000), help="This and the next five: as the producer had them."
)
@click.option("--profile", type=click.Choice(PROFILES), help="Kind of computers.")
@click.option("--format", "fmt", type=click.Choice(sorted(FORMATS)), help="Shape of an event.")
@click.option("--labels", is_flag=True, default=None, help="Events carried their story.")
@click.option("--start-time", type=click.DateTime(), help="Without it time values are not compared.")
@click.option("--catalogue", type=_EXISTING_FOLDER, help="Folder of catalogue files.")
@click.option("--exactly-once", is_flag=True, help="Duplicates fail the audit too.")
@click.option("--allow-duplicates", is_flag=True, help="Duplicates are counted, no more: the default.")
@click.option("--complete", is_flag=True, help="The run is over: unseen events fail the audit too.")
@click.option("--read-committed", is_flag=True, help="Skip records of open and aborted transactions.")
@click.option("--follow", is_flag=True, help="Go on past the end offsets; Ctrl-C ends it with the verdict.")
@click.option(
    "--idle-timeout", type=click.FloatRange(0, min_open=True), help="With --follow: end after such silence."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, examples on stderr.")
@kafka_connection_options
def main(**values: Any) -> None:
    """Audit a Kafka topic, or an NDJSON file, against what was produced.

    Without --ledger and --seed it is compared with itself: the record ids of every computer and
    channel must be contiguous. Nothing is written to the topic and no offset is committed.

    \b
    Examples:
      win-event-verify --topic events_processed --rejected-topic events_rejected
      win-event-verify --topic events_processed --ledger run.ledger --complete --json
      win-event-verify --file events.ndjson --seed 1 --count 1000 --start-time 2026-11-21
    """
    settings = _settings(values)
    try:
        with _sigterm_as_ctrl_c(), AuditProgress() as progress:
            report = verify(settings, progress.update)
    except AuditError as error:
        click.echo(f"win-event-verify: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    _print(report, values["as_json"])
    sys.exit(0 if report.ok else 1)


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """A polite kill of an audit that follows gets the verdict too."""
    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _settings(values: dict[str, Any]) -> VerifySettings:
    _refuse_contradictions(values)
    file, topic = values["file"], values["topic"]
    rejected = values["rejected_topic"] if not file or _typed("rejected_topic") else None
    connection = take_connection(values, "reader") if rejected or not file else None

    def kafka_topic(name: str, **how: Any) -> Topic:
        return Topic(cast(KafkaConnection, connection), name, values["read_committed"], **how)

    following = {"follow": values["follow"], "idle_seconds": values["idle_timeout"]}
    return VerifySettings(
        source=file or kafka_topic(topic, **following),
        rejected=kafka_topic(rejected) if rejected else None,
        judge=_judge(values),
        rules=Rules(exactly_once=values["exactly_once"], complete=values["complete"]),
    )


def _refuse_contradictions(values: dict[str, Any]) -> None:
    if values["file"] and _typed("topic"):
        raise click.UsageError("--topic and --file exclude each other")
    if not values["file"] and not values["topic"]:
        raise click.UsageError("give --topic NAME or --file PATH")
    if values["exactly_once"] and values["allow_duplicates"]:
        raise click.UsageError("--exactly-once and --allow-duplicates exclude each other")
    if values["ledger"] and values["seed"] is not None:
        raise click.UsageError("--ledger and --seed exclude each other")
    if values["file"] and values["follow"]:
        raise click.UsageError("--follow is for topics")
    if (values["seed"] is None) != (values["count"] is None):
        raise click.UsageError("--seed and --count go together")
    given = [name for name in _RUN_OPTIONS if values[name] is not None]
    if given and values["seed"] is None:
        raise click.UsageError(f"--{given[0].replace('_', '-').replace('fmt', 'format')} needs --seed")


def _judge(values: dict[str, Any]) -> Judge | None:
    if values["ledger"]:
        return LedgerJudge(values["ledger"])
    if values["seed"] is None:
        return None
    run = {name: values[name] for name in _RUN_OPTIONS if values[name] is not None}
    if "start_time" in run:
        run["start_time"] = run["start_time"].replace(tzinfo=timezone.utc)
    return SeedJudge(Run(GeneratorSettings(seed=values["seed"], **run), values["count"]))


def _typed(option: str) -> bool:
    """Whether the option stands on the command line, not just in the environment."""
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


def _print(report: Report, as_json: bool) -> None:
    if not as_json:
        table_console().print(report_view(report))
        return
    click.echo(orjson.dumps(report.as_json()).decode())
    for line in finding_lines(report):
        click.echo(line, err=True)
