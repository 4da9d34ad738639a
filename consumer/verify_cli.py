"""win-event-verify: the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

import click
import orjson
from click.core import ParameterSource

from consumer.errors import AuditError
from consumer.kafka_records import Topic
from consumer.progress_view import AuditProgress
from consumer.terminal import table_console
from consumer.verdict import Report, Rules
from consumer.verify import VerifySettings, verify
from consumer.verify_view import finding_lines, report_view
from kafka_setup.connection import KafkaConnection
from kafka_setup.connection_options import kafka_connection_options, take_connection

_EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--topic", envvar="WIN_EVENT_TOPIC", show_envvar=True, help="Kafka topic to audit.")
@click.option(
    "--rejected-topic",
    envvar="WIN_EVENT_REJECTED_TOPIC",
    show_envvar=True,
    help="Also count this topic's records, by their reason header; an event found there is not lost.",
)
@click.option("--file", type=_EXISTING_FILE, help="NDJSON file to audit instead of a topic.")
@click.option("--ledger", type=_EXISTING_FILE, help="Compare with what win-event-producer --ledger wrote.")
@click.option("--exactly-once", is_flag=True, help="Duplicates fail the audit too.")
@click.option("--allow-duplicates", is_flag=True, help="Duplicates are counted, no more: the default.")
@click.option("--complete", is_flag=True, help="The run is over: unseen events fail the audit too.")
@click.option("--read-committed", is_flag=True, help="Skip records of open and aborted transactions.")
@click.option("--follow", is_flag=True, help="Go on past the end offsets, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, examples on stderr.")
@kafka_connection_options
def main(**values: Any) -> None:
    """Audit a Kafka topic, or an NDJSON file, against what was produced.

    Without --ledger it is compared with itself: the record ids of every computer and channel
    must be contiguous. Nothing is written to the topic and no offset is committed.

    Exit codes: 0 ok, 1 events are lost, corrupt or invented (or the topic cannot be read), 2 usage.
    """
    as_json = values.pop("as_json")
    settings = _settings(values)
    try:
        with AuditProgress() as progress:
            report = verify(settings, progress.update)
    except AuditError as error:
        click.secho(f"win-event-verify: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    _print(report, as_json)
    sys.exit(0 if report.ok else 1)


def _settings(values: dict[str, Any]) -> VerifySettings:
    file = values["file"]
    if file and _typed("topic"):
        raise click.UsageError("--topic and --file exclude each other")
    topic = None if file else values["topic"]
    if not file and not topic:
        raise click.UsageError("give --topic NAME or --file PATH")
    if values["exactly_once"] and values["allow_duplicates"]:
        raise click.UsageError("--exactly-once and --allow-duplicates exclude each other")
    rejected = values["rejected_topic"] if topic or _typed("rejected_topic") else None
    connection = take_connection(values) if topic or rejected else None

    def kafka_topic(name: str, follow: bool = False) -> Topic:
        return Topic(cast(KafkaConnection, connection), name, values["read_committed"], follow)

    return VerifySettings(
        source=file or kafka_topic(cast(str, topic), values["follow"]),
        rejected=kafka_topic(rejected) if rejected else None,
        ledger=values["ledger"],
        rules=Rules(exactly_once=values["exactly_once"], complete=values["complete"]),
    )


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
