"""The options of analytics: the command line and the environment become one AnalyticsSettings."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from analytics.hosts import FIELDS_OF_HOSTS, Hosts, read_hosts
from analytics.question import Question, QuestionError, share_out
from analytics.question_files import find
from analytics.settings import INVENTORY, AnalyticsSettings, ArchiveSettings
from analytics.tables.inventory import ALERTS
from flink_bridge.job_options_cli import (
    bounded_option,
    check_option,
    checkpoint_option,
    delivery_options,
    events_topic_option,
    idle_timeout_option,
    job_name_option,
    parallelism_option,
    start_option,
)
from flink_bridge.kafka.options_cli import KAFKA_OPTIONS, take_kafka
from flink_bridge.kafka.settings import KafkaSettingsError
from kafka_setup.connection.jaas import JaasError
from kafka_setup.connection.options import option
from toolkit.options import FiniteFloat

Command = TypeVar("Command", bound=Callable[..., Any])
HOSTS = Path(__file__).resolve().with_name("hosts.csv")

_OPTIONS = (
    click.option(
        "--set",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a parameter; the head of each question lists them. QUESTION.NAME=VALUE sets it for one.",
    ),
    click.option(
        "--from-files",
        multiple=True,
        metavar="'DIR/*.ndjson'",
        help="Read files instead of the topic, print the answers as JSON lines, and end.",
    ),
    *KAFKA_OPTIONS,
    events_topic_option(),
    option(
        "--result-topic",
        "WIN_EVENT_RESULT_TOPIC",
        multiple=True,
        metavar="RESULT=TOPIC",
        help="Another topic for a result, such as events_by_level_5m=events_by_level_30s; repeat it.",
    ),
    start_option("Where a job without a saved position begins in the topic."),
    bounded_option(),
    option(
        "--max-lateness",
        "WIN_EVENT_MAX_LATENESS",
        type=FiniteFloat(0, 86_400),
        default=10.0,
        metavar="SECONDS",
        help="How far events of one partition may be out of order. Answers wait this long. Later events go "
        "to events_late.",
    ),
    idle_timeout_option(" No effect with --bounded."),
    option(
        "--hosts",
        "WIN_EVENT_HOSTS",
        type=click.Path(path_type=Path, dir_okay=False),
        default=HOSTS,
        show_default="hosts.csv beside job.py",
        help="For enriched: CSV file with computer,role,site; it is read when the job is submitted.",
    ),
    option(
        "--archive-path",
        "WIN_EVENT_ARCHIVE_PATH",
        metavar="URI",
        help="For archive: file:///folder or s3://bucket/folder.",
    ),
    option(
        "--archive-part-bytes",
        "WIN_EVENT_ARCHIVE_PART_BYTES",
        type=click.IntRange(1024),
        default=128 * 2**20,
        help="For archive: a larger part is closed at the next checkpoint.",
    ),
    option(
        "--archive-part-seconds",
        "WIN_EVENT_ARCHIVE_PART_SECONDS",
        type=click.IntRange(1, 86_400),
        default=900,
        metavar="SECONDS",
        help="For archive: an older part is closed, and becomes visible after the next checkpoint.",
    ),
    *delivery_options(
        "answers",
        "Each job on the same cluster needs its own. It is also the name of the consumer group. "
        "Default: win-event-analytics-, the names of the questions, and a hash of the job's settings.",
    ),
    checkpoint_option(),
    parallelism_option("read and count"),
    check_option("the login and the topics"),
    job_name_option(),
)


def analytics_options(command: Command) -> Command:
    for each in reversed(_OPTIONS):
        command = each(command)
    return command


def take_settings(names: str, values: dict[str, Any], any_password: bool = False) -> AnalyticsSettings:
    """One AnalyticsSettings from the option values; settings that cannot work are a usage error (exit 2).

    `any_password`: see KafkaSettings.
    """
    try:
        questions = find(names)
        files = _files(values["from_files"])
        _check_inventory(questions, files)
        return AnalyticsSettings(
            questions=questions,
            values=share_out(questions, dict(_pair("--set", text) for text in values["parameters"])),
            kafka=None if files else take_kafka(values, "analytics", any_password),
            files=files,
            topic=values["kafka_topic"],
            result_topics=_result_topics(questions, values["result_topic"]),
            hosts=_hosts(questions, values["hosts"]),
            archive=_archive(questions, values, files),
            max_lateness=values["max_lateness"],
            idle_timeout=values["idle_timeout"],
            start_from=values["start_from"],
            bounded=values["bounded"],
            delivery=values["delivery_guarantee"],
            own_prefix=values["transactional_id_prefix"],
            transaction_timeout=values["transaction_timeout"],
            checkpoint_interval=values["checkpoint_interval"],
            parallelism=1 if files else values["parallelism"] or 0,
            job_name=values["job_name"],
        )
    except (JaasError, KafkaSettingsError, QuestionError) as error:
        raise click.UsageError(str(error)) from error


def _pair(name: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise QuestionError(f"{name} {text!r}: expected NAME=VALUE")
    return key.strip(), value.strip()


def _files(patterns: Sequence[str]) -> tuple[Path, ...]:
    found: list[Path] = []
    for pattern in patterns:
        matching = [Path(name).resolve() for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
        if not any(path.is_file() for path in matching):
            raise QuestionError(f"--from-files {pattern!r}: there is no such file")
        found += [path for path in matching if path.is_file()]
    return tuple(dict.fromkeys(found))


def _result_topics(questions: Sequence[Question], texts: Sequence[str]) -> dict[str, str]:
    chosen = dict(_pair("--result-topic", text) for text in texts)
    known = {"events_late", *(result for question in questions for result in question.results)}
    known |= {"alerts" for question in questions if question.reads(ALERTS)}
    for name in chosen:
        if name not in known:
            raise QuestionError(
                f"--result-topic {name}: no such result here; there are: {', '.join(sorted(known))}"
            )
    return chosen


def _hosts(questions: Sequence[Question], file: Path) -> Hosts | None:
    asked = any(question.mentions(name) for question in questions for name in FIELDS_OF_HOSTS)
    return read_hosts(file) if asked else None


def _check_inventory(questions: Sequence[Question], files: Sequence[Path]) -> None:
    joining = [q.name for q in questions if any(q.reads(name) for name in INVENTORY)]
    if joining and files:
        raise QuestionError(f"{joining[0]} joins the topics of the inventory, which files do not have")
    if joining and len(joining) < len(questions):
        others = ", ".join(q.name for q in questions if q.name not in joining)
        raise QuestionError(
            f"{joining[0]} keeps the rows of the inventory for ever, {others} keeps its state for a day: "
            "submit two jobs"
        )


def _archive(
    questions: Sequence[Question], values: dict[str, Any], files: Sequence[Path]
) -> ArchiveSettings | None:
    if not any(question.name == "archive" for question in questions):
        return None
    if files:
        raise QuestionError("archive writes a topic to files: it cannot be used with --from-files")
    path = values["archive_path"]
    if not path or not path.startswith(("file:///", "s3://")):
        raise QuestionError(
            f"archive needs --archive-path file:///folder or s3://bucket/folder, not {path!r}"
        )
    return ArchiveSettings(path, values["archive_part_bytes"], values["archive_part_seconds"])
