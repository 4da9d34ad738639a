"""What the operator in the JVM is told; what it does with lines is tested on a cluster."""

from __future__ import annotations

from flink_bridge.jvm.field_path import parse_field, parse_fields
from flink_bridge.jvm.sorting import sorting_options
from flink_bridge.kafka.settings import KafkaSettings
from flink_bridge.settings import BridgeSettings, EventSettings
from producer.endpoint import Endpoint

WHERE = Endpoint("127.0.0.1", 9999)
KAFKA = KafkaSettings("127.0.0.1:9092", username="bridge", password_file="/run/secrets/bridge")


def test_only_the_key_is_read_unless_more_is_asked_for() -> None:
    options = sorting_options(BridgeSettings((WHERE,), KAFKA), WHERE)
    assert options["fields"] == [("computer",)]
    assert (options["key"], options["timestamp"]) == (0, -1)
    assert (options["required"], options["headers"]) == ([(0, "computer")], [])
    assert options["endpoint"] == "127.0.0.1:9999"


def test_a_field_that_serves_twice_is_read_once_under_each_of_its_names() -> None:
    events = EventSettings(
        key_field=parse_field("host.name"),
        event_timestamps=True,
        timestamp_field=parse_field("@timestamp"),
        require=parse_fields("@timestamp,event.code"),
        headers=parse_fields("$['event']['code'],host.name,source"),
    )
    options = sorting_options(BridgeSettings((WHERE,), KAFKA, events=events), WHERE)
    assert options["fields"] == [("host", "name"), ("@timestamp",), ("event", "code"), ("source",)]
    assert (options["key"], options["timestamp"]) == (0, 1)
    assert options["required"] == [(0, "host.name"), (1, "@timestamp"), (2, "event.code")]
    assert options["headers"] == [(2, "$['event']['code']"), (0, "host.name"), (3, "source")]
