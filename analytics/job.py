"""Questions in Flink SQL about the events in a topic, or in files.

`flink run -py analytics/job.py` and `python analytics/job.py` (an in-process cluster) both work.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

if not __package__:
    # Started as a script: Python put this folder on the path, where the imports need the one above it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import click
import orjson

from analytics.flink.client_sql import declarations_of
from analytics.options_cli import analytics_options, take_settings
from analytics.question import QuestionError
from analytics.question_files import shipped
from analytics.settings import AnalyticsSettings
from flink_bridge.job_cli import (
    SILENCE,
    flink_needed,
    print_notes,
    submitting,
    told,
    waiting_for_kafka,
)
from flink_bridge.job_options_cli import describe_option, version_option
from flink_bridge.kafka.options_cli import examine, print_description
from toolkit.waiting import after_silence


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@version_option()
@click.argument("questions", required=False, default="", metavar="QUESTION[,…]", envvar="WIN_EVENT_QUESTIONS")
@click.option(
    "--declare",
    envvar="WIN_EVENT_DECLARE",
    show_envvar=True,
    is_flag=True,
    help="Print all tables as SQL for a Flink client; submit nothing.",
)
@describe_option()
@analytics_options
def main(questions: str, declare: bool, describe: bool, **values: Any) -> None:
    """Ask questions in Flink SQL: each is a file of analytics/queries, or a .sql file of yours.

    Several questions in one job read the topic only once. Without a QUESTION, all questions are listed. Every
    option except --set and --from-files may also be set in the environment, and the questions in
    WIN_EVENT_QUESTIONS. If both are set, the option is used.

    \b
    Examples:
      flink run -d -py analytics/job.py level_windows,brute_force \\
        --kafka-bootstrap-servers 127.0.0.1:9092 --kafka-security-protocol SASL_PLAINTEXT
      flink run -d -py analytics/job.py level_windows --set width=30 \\
        --result-topic events_by_level_5m=events_by_level_30s
      python analytics/job.py level_windows,logon_sessions --from-files 'logs/*.ndjson'
    """
    if declare:
        click.echo(declarations_of(take_settings(questions or "enriched", values)))
        return
    if not questions and not describe:
        _show_questions()
        return
    settings = take_settings(questions, values, any_password=True)
    if describe:
        print_description(settings.kafka, values["check"], name=settings.name)
        return
    if settings.kafka:
        examine(settings.kafka, values["check"])
    with told(QuestionError):
        if settings.files:
            _print_answers(settings)
        else:
            _submit(settings, values["check"])


def _show_questions() -> None:
    for name, question in shipped().items():
        click.echo(f"{name}: {question.title}")
        for each in question.parameters.values():
            click.echo(f"    --set {each.name}={each.default}   {each.low} to {each.high} {each.about}")


def _submit(settings: AnalyticsSettings, check: bool) -> None:
    # These load Flink: --help and usage errors need not wait for it.
    with flink_needed():
        from analytics.flink import graph, preflight
    from analytics.flink.archive_check import WAIT, check_archive
    from flink_bridge.flink_cluster import with_parallelism
    from flink_bridge.jvm.classes import PASSWORD_CLASSES, TABLE_CLASSES

    with submitting("analytics", PASSWORD_CLASSES + TABLE_CLASSES) as (prefix, jar):
        settings = with_parallelism(settings)
        assert settings.kafka is not None  # noqa: S101 - _print_answers has the other case
        with waiting_for_kafka(settings.kafka.bootstrap_servers):
            notes = preflight.check(settings, prefix) if check else ()
        print_notes(notes)
        if check and settings.archive:
            where = f"the archive {settings.archive.path} does not answer yet; waiting up to {WAIT:.0f} s"
            with after_silence(SILENCE, lambda: click.echo(where, err=True)):
                check_archive(settings.archive)
        graph.ask_topic(settings, prefix, jar)


def _print_answers(settings: AnalyticsSettings) -> None:
    """Run the questions over files; print every row of every answer as a line, in the order of the keys."""
    from analytics.answers import rows, unreadable

    with flink_needed():
        from analytics.flink import graph
    from flink_bridge.jvm.classes import TABLE_CLASSES, load_classes

    with tempfile.TemporaryDirectory(prefix="win-event-analytics-") as folder:
        links, answers, jar = (
            Path(folder) / name for name in ("files", "answers", "win-event-analytics.jar")
        )
        links.mkdir()
        load_classes(jar, "", TABLE_CLASSES)
        for number, file in enumerate(settings.files):
            (links / f"{number:06d}-{file.name.lstrip('._')}").symlink_to(file)
        graph.ask_files(settings, links, answers, jar)
        for result in settings.results:
            for row in rows(answers, result):
                sys.stdout.buffer.write(orjson.dumps({"result": result, **row}) + b"\n")
    if left_out := unreadable(settings.files):
        click.echo(f"note: {left_out:,} lines are no JSON objects and are in no answer", err=True)


if __name__ == "__main__":
    main()
