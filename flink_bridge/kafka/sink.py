"""Flink's Kafka sink for both topics: one connection and one transaction carry events and rejected lines."""

from __future__ import annotations

from typing import Any

from pyflink.java_gateway import get_gateway

from flink_bridge.jvm.classes import java_class
from flink_bridge.kafka.preflight import java_properties
from flink_bridge.settings import BridgeSettings


def kafka_sink(settings: BridgeSettings, prefix: str) -> Any:
    """A RecordSink (Java) that takes KafkaRecord; `prefix` as of preflight.class_prefix."""
    flink: Any = get_gateway().jvm.org.apache.flink.connector
    exactly_once = settings.delivery == "exactly-once"
    guarantees = flink.base.DeliveryGuarantee
    properties = settings.kafka.producer_properties(prefix)
    builder = (
        flink.kafka.sink.KafkaSink.builder()
        .setBootstrapServers(settings.kafka.bootstrap_servers)
        .setKafkaProducerConfig(java_properties(properties))
        .setRecordSerializer(java_class("KafkaRecords")())
        .setDeliveryGuarantee(guarantees.EXACTLY_ONCE if exactly_once else guarantees.AT_LEAST_ONCE)
    )
    if exactly_once:
        builder.setTransactionalIdPrefix(settings.transactional_id_prefix)
        builder.setProperty("transaction.timeout.ms", str(settings.transaction_timeout * 1000))
    return java_class("RecordSink")(builder.build())
