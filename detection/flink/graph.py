"""Builds the job in Flink and runs it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pyflink.common import Configuration, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment
from pyflink.table.expressions import col

from detection.flink.correlating import ALERT, Correlating, Spreading
from detection.flink.matching import matching
from detection.flink.settings import DetectionSettings, detection_flink_options
from flink_bridge.kafka.sql_text import literal

_SHIPPED = ("detection", "producer", "flink_bridge", "kafka_setup")
_PAIR = Types.ROW([Types.STRING(), Types.STRING()])


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
        env.add_python_file(str(_packages(Path(folder))))
        tables.execute_sql(_lines(settings, prefix))
        tables.execute_sql(_alerts(settings, prefix))
        files, pipelines = list(settings.files), list(settings.pipelines)
        tables.create_temporary_function("hits", matching(files, pipelines))
        found = tables.sql_query(
            "SELECT hit FROM (SELECT hits(line) AS hit FROM event_lines) WHERE hit IS NOT NULL"
        )
        alerts = (
            tables.to_data_stream(found)
            .flat_map(Spreading(files, pipelines), output_type=_PAIR)
            .key_by(lambda row: row[0], key_type=Types.STRING())
            .process(Correlating(files, pipelines, settings.bounds), output_type=ALERT)
        )
        statements = tables.create_statement_set()
        table = tables.from_data_stream(alerts).alias("k", "v").select(col("k"), col("v"))
        statements.add_insert("alerts", table)
        statements.attach_as_datastream()
        env.execute(settings.name)


def _packages(folder: Path) -> Path:
    """A copy of our packages, in a folder that is on the path of Flink's Python workers."""
    here = Path(__file__).resolve().parents[2]
    target = folder / "win_event_packages"
    for name in _SHIPPED:
        shutil.copytree(here / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def _lines(settings: DetectionSettings, prefix: str) -> str:
    lateness = _interval(settings.max_lateness)
    options = {
        "connector": "kafka",
        "topic": settings.topic,
        "properties.group.id": settings.group,
        "properties.isolation.level": "read_committed",
        "scan.startup.mode": f"{settings.start_from}-offset",
        **({"scan.bounded.mode": "latest-offset"} if settings.bounded else {}),
        "value.format": "raw",
        **{f"properties.{name}": value for name, value in settings.kafka.client_properties(prefix).items()},
    }
    return (
        "CREATE TEMPORARY TABLE event_lines (line STRING, "
        "event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', "
        f"WATERMARK FOR event_time AS event_time - {lateness}) {_with(options)}"
    )


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
    return f"CREATE TEMPORARY TABLE alerts (k STRING, v STRING) {_with(options)}"


def _interval(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86_400)
    text = f"{days} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.{round(seconds % 1 * 1000):03d}"
    return f"INTERVAL '{text}' DAY(3) TO SECOND(3)"


def _with(options: Mapping[str, str]) -> str:
    return "WITH (" + ", ".join(f"{literal(k)} = {literal(v)}" for k, v in options.items()) + ")"
