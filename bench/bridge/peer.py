"""Two jobs to compare the bridge with, on Flink's own socket source and the same Kafka sink and settings.

`raw`: lines directly into Kafka, without key, JSON or second topic: the limit of the platform. `java`: a
simple job in Java, which builds a tree of each line and takes the key from it; one bad line ends that job.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import add_jars_to_context_class_loader

from flink_bridge.graph import environment
from flink_bridge.jvm.classes import java_class, java_file, java_text, write_jar
from flink_bridge.kafka.preflight import java_properties
from flink_bridge.kafka.settings import SHADED, KafkaSettings
from flink_bridge.settings import BridgeSettings
from flink_bridge.sources.socket_source import socket_lines
from producer.endpoint import Endpoint

OURS = Path(__file__).resolve().parent / "java"


def main(kind: str, port: int) -> None:
    kafka = KafkaSettings(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        username=os.environ["KAFKA_USERNAME"],
        password_file=os.environ["KAFKA_PASSWORD_FILE"],
    )
    topic = os.environ["KAFKA_TOPIC"]
    settings = BridgeSettings((Endpoint("127.0.0.1", port),), kafka, topic=topic, job_name=f"peer: {kind}")
    with tempfile.TemporaryDirectory() as folder:
        jar = Path(folder) / "peer.jar"
        files = [OURS / "TreeKey.java", *map(java_file, ("KafkaRecord", "KafkaRecords"))]
        write_jar(jar, {file.name: java_text(file, SHADED) for file in files})
        add_jars_to_context_class_loader([jar.as_uri()])
        env = environment(settings)
        env.add_jars(jar.as_uri())
        lines: Any = socket_lines(env, settings.endpoints[0])._j_data_stream
        if kind == "java":
            types: Any = get_gateway().jvm.org.apache.flink.api.common.typeinfo.TypeInformation
            record = types.of(java_class("KafkaRecord")._java_lang_class)
            lines = lines.flatMap(java_class("TreeKey")(topic), record).startNewChain()
        lines.sinkTo(_sink(settings, keyed=kind == "java"))
        env.execute(settings.name)


def _sink(settings: BridgeSettings, keyed: bool) -> Any:
    flink: Any = get_gateway().jvm.org.apache.flink
    sinks = flink.connector.kafka.sink
    plain = flink.api.common.serialization.SimpleStringSchema()
    raw = sinks.KafkaRecordSerializationSchema.builder().setTopic(settings.topic)
    return (
        sinks.KafkaSink.builder()
        .setBootstrapServers(settings.kafka.bootstrap_servers)
        .setKafkaProducerConfig(java_properties(settings.kafka.producer_properties()))
        .setDeliveryGuarantee(flink.connector.base.DeliveryGuarantee.AT_LEAST_ONCE)
        .setRecordSerializer(
            java_class("KafkaRecords")() if keyed else raw.setValueSerializationSchema(plain).build()
        )
        .build()
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
