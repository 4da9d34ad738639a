"""win-event-verify: the command line."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import Any

import click
import orjson

from consumer.standard_output import table_console
from consumer.verify.audit.records import AuditError
from consumer.verify.audit.report import EXIT_CODES, Report
from consumer.verify.progress_view import AuditProgress
from consumer.verify.rejects import read_rejects, rejects_view
from consumer.verify.verify import verify
from consumer.verify.view import finding_lines, report_view
from consumer.verify_options_cli import rejected_topic_of, settings_of, since_of, verify_options
from kafka_setup.connection.options import kafka_connection_options


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok: everything expected was found, in order; 1 FAILED, or the audit could not be "
    "made; 2 usage; 3 incomplete: nothing is wrong so far, but expected events are unseen; 130 interrupted.",
)
@verify_options
@kafka_connection_options
@click.version_option(package_name="win-event-bridge")
def main(**values: Any) -> None:
    """Audit a Kafka topic, a Kinesis stream or an NDJSON file against what was produced.

    Without --ledger and --seed, only the record ids are checked: those of every computer and channel
    must be contiguous. Where they begin again, another run of the producer begins; each run is judged
    separately. Nothing is written to the topic and no offset is committed.
    To compare alerts with the attacks that the producer generated, use `win-event-detect score`.

    \b
    Examples:
      win-event-verify --topic events_processed --rejected-topic events_rejected
      win-event-verify --topic events_processed --ledger run.ledger --complete --json
      win-event-verify --rejected --since 1h
      win-event-verify --kinesis events --ledger run.ledger --complete
      win-event-verify --file events.ndjson --seed 1 --count 1000 --start-time 2026-11-21
    """
    try:
        if values["rejected"]:
            _show_rejected(values)
            return
        settings = settings_of(values)
        with _sigterm_as_ctrl_c(), AuditProgress() as progress:
            report = verify(settings, progress.update)
    except AuditError as error:
        click.echo(f"win-event-verify: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    _print(report, values["as_json"])
    sys.exit(EXIT_CODES[report.verdict])


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end an audit with --follow like Ctrl-C, with the verdict."""
    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _show_rejected(values: dict[str, Any]) -> None:
    topic, since = rejected_topic_of(values), since_of(values["since"])
    with AuditProgress() as progress:
        rejects = read_rejects(topic, values["limit"], since, progress.update)
    if values["as_json"]:
        click.echo(orjson.dumps(rejects.as_json()).decode())
    else:
        click.echo(f"topic {topic.name}")
        table_console().print(rejects_view(rejects))


def _print(report: Report, as_json: bool) -> None:
    if not as_json:
        table_console().print(report_view(report))
        return
    click.echo(orjson.dumps(report.as_json()).decode())
    for line in finding_lines(report):
        click.echo(line, err=True)
