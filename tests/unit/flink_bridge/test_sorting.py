"""The options of the operator in the JVM; test_event_line.py tests what it does with lines."""

from __future__ import annotations

from flink_bridge.jvm.field_path import first_of, parse_fields
from flink_bridge.jvm.sorting import sorting_options
from flink_bridge.kafka.limits import TopicLimits
from flink_bridge.kafka.settings import KafkaSettings
from flink_bridge.settings import BridgeSettings, EventSettings
from producer.endpoint import Endpoint

WHERE = Endpoint("127.0.0.1", 9999)
KAFKA = KafkaSettings("127.0.0.1:9092", username="bridge", password_file="/run/secrets/bridge")


def test_key_and_time_are_read_unless_more_is_asked_for() -> None:
    options = sorting_options(BridgeSettings((WHERE,), KAFKA), WHERE)
    assert [options["places"][field[0]] for field in options["fields"]] == [("computer",), ("timestamp",)]
    key = [options["places"][place] for place in options["fields"][0]]
    assert ("winlog", "computer_name") in key
    assert ("winlog.computer_name",) in key
    assert (options["key"], options["timestamp"]) == (0, 1)
    assert (options["required"], options["headers"]) == ([(0, "computer")], [])
    assert options["endpoint"] == "127.0.0.1:9999"
    assert options["decoded"] is False
    without = EventSettings(event_timestamps=False)
    assert sorting_options(BridgeSettings((WHERE,), KAFKA, events=without), WHERE)["timestamp"] == -1
    assert sorting_options(BridgeSettings((WHERE,), KAFKA, source="socket"), WHERE)["decoded"] is True


def test_a_field_that_serves_twice_is_read_once_under_each_of_its_names() -> None:
    events = EventSettings(
        key_field=first_of(parse_fields("host.name,Hostname")),
        timestamp_field=first_of(parse_fields("@timestamp")),
        require=parse_fields("@timestamp,event.code"),
        headers=parse_fields("event.code,$['host']['name'],source"),
    )
    options = sorting_options(BridgeSettings((WHERE,), KAFKA, events=events), WHERE)
    assert options["places"] == [
        ("host", "name"), ("host.name",), ("Hostname",), ("@timestamp",), ("event", "code"), ("event.code",),
        ("source",),
    ]  # fmt: skip
    assert options["fields"] == [[0, 1, 2], [3], [4, 5], [0], [6]]
    assert (options["key"], options["timestamp"]) == (0, 1)
    assert options["required"] == [(0, "host.name"), (1, "@timestamp"), (2, "event.code")]
    assert options["headers"] == [(2, "event.code"), (3, "$['host']['name']"), (4, "source")]


def test_the_limits_of_both_topics_are_told() -> None:
    settings = BridgeSettings((WHERE,), KAFKA, limits=TopicLimits(1, 2, 3, 4), rejected_limits=TopicLimits(5))
    options = sorting_options(settings, WHERE)
    names = ("max_record", "most_ahead", "most_behind", "retention", "max_rejected")
    assert [options[name] for name in names] == [1, 2, 3, 4, 5]
