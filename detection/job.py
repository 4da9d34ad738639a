"""Sigma rules and correlations over a topic, on Flink: alerts go to another topic.

`flink run -py detection/job.py` and `python detection/job.py` (an in-process cluster) both work.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path
from typing import Any

if not __package__:
    # Started as a script: Python put this folder on the path, where the imports need the one above it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import click

from detection.correlation.bounds import Bounds
from detection.flink.settings import DetectionSettings
from detection.options_cli import LATENESS_OPTIONS, RULE_OPTIONS, WINDOW_OPTIONS, group_option, options
from flink_bridge.job_cli import (
    flink_needed,
    print_notes,
    submitting,
    told,
    waiting_for_kafka,
)
from flink_bridge.job_options_cli import (
    bounded_option,
    check_option,
    checkpoint_option,
    describe_option,
    events_topic_option,
    idle_timeout_option,
    job_name_option,
    parallelism_option,
    start_option,
    version_option,
)
from flink_bridge.kafka.options_cli import KAFKA_OPTIONS, examine, print_description, take_kafka
from flink_bridge.kafka.settings import KafkaSettings, KafkaSettingsError
from kafka_setup.connection.jaas import JaasError
from kafka_setup.connection.options import option
from kafka_setup.defaults import ALERTS_TOPIC

_OPTIONS = (
    events_topic_option(),
    option("--alerts-topic", "WIN_EVENT_ALERTS_TOPIC", default=ALERTS_TOPIC, help="Topic for the alerts."),
    group_option("Consumer group that shows the lag of the job; the job itself resumes from its checkpoint."),
    start_option("Where a job without a saved position begins in the topic."),
    bounded_option(),
    idle_timeout_option(),
    checkpoint_option(),
    parallelism_option("read and match"),
    option(
        "--execution-mode", "WIN_EVENT_EXECUTION_MODE", type=click.Choice(["thread", "process"]),
        show_default="thread if Python has a shared library and was not moved",
        help="Where Python runs: in the TaskManager's process, or in one beside it, which takes 1.5 times "
        "the processor time. A checkpoint of one mode has no open windows for the other.",
    ),
    check_option("the login"),
    job_name_option(),
)  # fmt: skip


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@version_option()
@describe_option()
@options(RULE_OPTIONS, LATENESS_OPTIONS, WINDOW_OPTIONS, KAFKA_OPTIONS, _OPTIONS)
def main(describe: bool, **values: Any) -> None:
    """Find attacks in a topic of events by Sigma rules, on Flink; alerts go to a topic.

    The TaskManagers' Python needs pySigma, google-re2 and orjson (win-event-bridge[detect]); our own code and
    the rules are sent with the job. Windows are in Flink's state and are restored from its checkpoints.

    \b
    Examples:
      flink run -d -py detection/job.py --kafka-bootstrap-servers 127.0.0.1:9092
      flink run -d -py detection/job.py --rules sigma/rules/windows --max-lateness 30
    """
    try:
        kafka = take_kafka(values, "detection", any_password=True)
    except (JaasError, KafkaSettingsError) as error:
        raise click.UsageError(str(error)) from error
    if not describe:
        examine(kafka, values["check"])
    rules, settings = _take(kafka, values)
    if describe:
        print_description(kafka, values["check"], name=settings.name)
        return
    for refusal in rules.refusals:
        click.secho(f"refused: {refusal}", fg="yellow", err=True)
    click.echo(f"{len(rules.rules)} rules and {len(rules.correlations)} correlations", err=True)
    with told():
        _run(settings, values["check"])


def _take(kafka: KafkaSettings, values: dict[str, Any]) -> tuple[Any, DetectionSettings]:
    # This loads pySigma: --help, usage errors and the check of the listener need not wait for it.
    from detection.running.rule_source import RulesError, RuleSource

    source = RuleSource(values["rules"], values["pipeline"])
    try:
        rules = source.load_some()
        files, pipelines = source.files()
    except RulesError as error:
        raise click.UsageError(str(error)) from error
    return rules, DetectionSettings(
        files=tuple(files),
        pipelines=tuple(pipelines),
        kafka=kafka,
        topic=values["kafka_topic"],
        alerts_topic=values["alerts_topic"],
        group=values["group"],
        start_from=values["start_from"],
        bounded=values["bounded"],
        max_lateness=values["max_lateness"],
        idle_timeout=values["idle_timeout"],
        bounds=Bounds(values["max_window"]),
        checkpoint_interval=values["checkpoint_interval"],
        execution_mode=values["execution_mode"] or _execution_mode(),
        parallelism=values["parallelism"] or 0,
        job_name=values["job_name"],
    )


def _execution_mode() -> str:
    """`thread` if it can work, else `process`.

    In thread mode, Flink loads the shared library of the same Python. The library looks for Python's modules
    in the folder that it was built for. If Python was moved, like those that uv downloads, this would end the
    TaskManager.
    """
    with flink_needed():
        from find_libpython import find_libpython
    built_for = re.search(r"--prefix=([^ ']+)", sysconfig.get_config_var("CONFIG_ARGS") or "")
    at_home = Path(sys.base_prefix) == Path(built_for[1] if built_for else "/usr/local")
    return "thread" if at_home and find_libpython() else "process"


def _run(settings: DetectionSettings, check: bool) -> None:
    # These load Flink: --help and usage errors need not wait for it.
    with flink_needed():
        from detection.flink import graph, preflight
    from flink_bridge.flink_cluster import with_parallelism
    from flink_bridge.jvm.classes import BLOCK_CLASSES, PASSWORD_CLASSES

    with submitting("detection", BLOCK_CLASSES + PASSWORD_CLASSES) as (prefix, jar):
        settings = with_parallelism(settings)
        with waiting_for_kafka(settings.kafka.bootstrap_servers):
            notes = preflight.check(settings, prefix) if check else ()
        print_notes(notes)
        graph.run(settings, prefix, jar)


if __name__ == "__main__":
    main()
