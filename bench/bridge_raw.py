"""The limit to compare with: Flink's socket source straight into Kafka, no key, no JSON, no second topic."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from flink_bridge.endpoints import Endpoint
from flink_bridge.flink_settings import flink_options
from flink_bridge.kafka_settings import KafkaSettings
from flink_bridge.settings import BridgeSettings
from flink_bridge.sink_sql import literal
from flink_bridge.socket_source import socket_lines


def main(port: int) -> None:
    kafka = KafkaSettings(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        username=os.environ["KAFKA_USERNAME"],
        password_file=os.environ["KAFKA_PASSWORD_FILE"],
    )
    settings = BridgeSettings(
        (Endpoint("127.0.0.1", port),),
        kafka,
        topic=os.environ.get("KAFKA_TOPIC", "events_processed"),
        job_name="raw pass-through",
    )
    configuration = Configuration()
    for name, value in flink_options(settings).items():
        configuration.set_string(name, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    tables = StreamTableEnvironment.create(env)
    tables.create_temporary_view("lines", tables.from_data_stream(socket_lines(env, settings.endpoints[0])))
    options = {"connector": "kafka", "topic": settings.topic, "format": "raw"}
    options["sink.delivery-guarantee"] = settings.delivery
    options |= {f"properties.{name}": value for name, value in kafka.producer_properties().items()}
    rows = ", ".join(f"{literal(name)} = {literal(value)}" for name, value in options.items())
    tables.execute_sql(f"CREATE TEMPORARY TABLE sink (line STRING) WITH ({rows})")
    statements = tables.create_statement_set()
    statements.add_insert_sql("INSERT INTO sink SELECT f0 FROM `lines`")
    statements.attach_as_datastream()
    env.execute(settings.name)


if __name__ == "__main__":
    main(int(sys.argv[1]))
