"""Builds the job in Flink and runs it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pyflink.common import Configuration, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment
from pyflink.table.expressions import col

from detection.flink.correlating import Correlating
from detection.flink.matching import Matching
from detection.flink.rows import PAIR
from detection.flink.settings import DetectionSettings, detection_flink_options
from detection.flink.shipping import packages
from detection.flink.source import line_blocks
from flink_bridge.kafka.sql_text import with_options


def run(settings: DetectionSettings, prefix: str, jar: Path) -> None:
    """Submit, and wait for the end unless `flink run --detached`; `prefix` as of preflight.class_prefix.

    `jar`: the file with the classes for the login, which load_classes wrote.
    """
    configuration = Configuration()
    for name, value in detection_flink_options(settings).items():
        configuration.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(settings.parallelism)
    env.add_jars(jar.as_uri())
    tables = StreamTableEnvironment.create(env)
    with tempfile.TemporaryDirectory(prefix="win-event-detection-") as folder:
        env.add_python_file(str(packages(Path(folder))))
        tables.execute_sql(_alerts(settings, prefix))
        files, pipelines = list(settings.files), list(settings.pipelines)
        alerts = (
            line_blocks(env, settings, prefix)
            .flat_map(Matching(files, pipelines), output_type=PAIR)
            .name("match")
            .key_by(lambda row: row[0], key_type=Types.STRING())
            .process(Correlating(files, pipelines, settings.bounds), output_type=PAIR)
            .name("correlate")
        )
        statements = tables.create_statement_set()
        table = tables.from_data_stream(alerts).alias("k", "v").select(col("k"), col("v"))
        statements.add_insert("alerts", table)
        statements.attach_as_datastream()
        env.execute(settings.name)


def _alerts(settings: DetectionSettings, prefix: str) -> str:
    options = {
        "connector": "kafka",
        "topic": settings.alerts_topic,
        "key.format": "raw",
        "key.fields": "k",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        "sink.delivery-guarantee": "at-least-once",
        **{f"properties.{name}": value for name, value in settings.kafka.producer_properties(prefix).items()},
    }
    return f"CREATE TEMPORARY TABLE alerts (k STRING, v STRING) {with_options(options)}"
