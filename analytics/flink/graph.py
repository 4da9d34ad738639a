"""Builds the job in Flink and runs it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StatementSet, StreamTableEnvironment
from pyflink.util.exceptions import JavaException

from analytics.flink.settings import analytics_flink_options
from analytics.question import INSERT, QuestionError
from analytics.settings import AnalyticsSettings
from analytics.tables import declarations, inventory
from flink_bridge.jvm.classes import ship_without_pyflink


def environment(settings: AnalyticsSettings) -> tuple[StreamExecutionEnvironment, StreamTableEnvironment]:
    """An empty job with our settings of Flink."""
    configuration = Configuration()
    for name, value in analytics_flink_options(settings).items():
        configuration.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(settings.parallelism)
    return env, StreamTableEnvironment.create(env)


def ask_topic(settings: AnalyticsSettings, prefix: str, jar: Path) -> None:
    """Submit, and wait for the end unless `flink run --detached`; `prefix` as of preflight.class_prefix.

    `jar`: the file with our classes, which load_classes wrote.
    """
    env, table_environment = environment(settings)
    ship_without_pyflink(env, jar)
    assert settings.kafka is not None  # noqa: S101 - without files there is a topic
    fields = declarations.fields_of(settings.questions)
    declared = declarations.results_in_kafka(settings, settings.kafka, prefix)
    inputs = []
    if settings.reads_events:
        inputs += declarations.events_from_kafka(settings, settings.kafka, prefix, fields)
        inputs.append(declared["events_late"])
    if any(question.mentions("event_lines") for question in settings.questions):
        inputs.append(declarations.lines_from_kafka(settings, settings.kafka, prefix))
    inputs += inventory.read_by(settings.questions, settings, settings.kafka, prefix)
    if settings.archive:
        inputs.append(declarations.archive(settings.archive))
    statements = _statements(table_environment, settings, inputs, declared)
    if settings.reads_events:
        statements.add_insert_sql(declarations.LATE)
    _attach(statements)
    env.execute(settings.name)


def ask_files(settings: AnalyticsSettings, links: Path, answers: Path, jar: Path) -> None:
    """Read the files of the folder `links` to their end; write the changes of the answers to `answers`."""
    env, table_environment = environment(settings)
    ship_without_pyflink(env, jar)
    inputs = declarations.events_from_files(settings, links, declarations.fields_of(settings.questions))
    results = declarations.results_in_files(answers)
    _attach(_statements(table_environment, settings, inputs, results))
    env.execute(settings.name)


def _statements(
    table_environment: StreamTableEnvironment,
    settings: AnalyticsSettings,
    inputs: Iterable[str],
    declared: dict[str, str],
) -> StatementSet:
    """Every INSERT of every question, in one job. Raises QuestionError for SQL that Flink refuses."""
    for statement in inputs:
        table_environment.execute_sql(statement)
    for result in settings.results:
        if result in declared:
            table_environment.execute_sql(declared[result])
    statements = table_environment.create_statement_set()
    for question in settings.questions:
        try:
            for number, statement in enumerate(question.statements(settings.values[question.name])):
                if INSERT.match(statement):
                    writer = f"{question.name}-{number}"
                    statements.add_insert_sql(declarations.with_own_transactions(statement, settings, writer))
                else:
                    table_environment.execute_sql(statement)
        except (Py4JJavaError, JavaException) as error:
            raise QuestionError(f"{question.name}.sql: {_reason(error)}") from None
    return statements


def _attach(statements: StatementSet) -> None:
    """Plan all statements; some mistakes show only here. Raises QuestionError."""
    try:
        statements.attach_as_datastream()
    except (Py4JJavaError, JavaException) as error:
        raise QuestionError(f"Flink cannot plan the questions: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """The reason from Flink: the innermost cause that has a text."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith(("at ", "..."))]
    # The text of Py4J: a sentence, ": CLASS: MESSAGE", then "Caused by: CLASS: MESSAGE" for each cause.
    causes = [line for line in said if line.startswith(("Caused by: ", ": "))] or said
    last = causes[-1].removeprefix("Caused by").removeprefix(": ")
    return last.partition(": ")[2] or last
