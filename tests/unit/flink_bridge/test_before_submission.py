"""The checks before a submission: the job's own prefix, the topic's limits, an unknown version."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest
from running import free_ports, wait_until

from flink_bridge.before_submission import version_notes
from flink_bridge.job_cli import waiting_for_kafka
from flink_bridge.kafka.limits import FOREVER, topic_limits
from flink_bridge.kafka.settings import KafkaSettings
from flink_bridge.settings import BridgeSettings
from producer.endpoint import Endpoint

ENDPOINTS = (Endpoint("a", 1), Endpoint("b", 2))
HOUR = 3_600_000


def test_each_job_has_a_transactional_id_prefix_of_its_own() -> None:
    kafka = KafkaSettings("b:1", "PLAINTEXT")
    own = BridgeSettings(ENDPOINTS, kafka)
    assert own.transactional_id_prefix.startswith("win-event-bridge-events_processed-")
    assert BridgeSettings(ENDPOINTS[::-1], kafka).transactional_id_prefix == own.transactional_id_prefix
    others = {
        BridgeSettings(ENDPOINTS[:1], kafka).transactional_id_prefix,
        BridgeSettings(ENDPOINTS, kafka, topic="other").transactional_id_prefix,
        BridgeSettings(ENDPOINTS, kafka, rejected_topic="other").transactional_id_prefix,
        BridgeSettings(ENDPOINTS, kafka, job_name="other").transactional_id_prefix,
    }
    assert len(others | {own.transactional_id_prefix}) == 5
    assert BridgeSettings(ENDPOINTS, kafka, own_prefix="mine").transactional_id_prefix == "mine"


def test_a_version_that_was_not_tested_is_named() -> None:
    assert version_notes("2.2.1") == []
    assert "this is Flink 2.3.0; the bridge was tested with 2.2" in version_notes("2.3.0")[0]
    assert version_notes("2.20.0") != []


def test_limits_are_those_of_topic_and_producer() -> None:
    usual = topic_limits({}, {})
    assert (usual.max_record, usual.most_ahead, usual.most_behind) == (1_048_576, 55 * 60_000, FOREVER)
    assert usual.retention == 7 * 24 * HOUR
    assert topic_limits({"max.message.bytes": "5000"}, {}).max_record == 5000
    assert topic_limits({"max.message.bytes": "5000"}, {"max.request.size": "4000"}).max_record == 4000
    assert topic_limits({"retention.ms": "-1"}, {}).retention == FOREVER
    assert topic_limits({"message.timestamp.before.max.ms": str(HOUR)}, {}).most_behind == 55 * 60_000
    appended = topic_limits({"message.timestamp.type": "LogAppendTime"}, {})
    assert (appended.most_ahead, appended.most_behind, appended.retention) == (FOREVER,) * 3


def test_a_kafka_that_does_not_answer_is_named_while_the_check_waits() -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    heard = io.StringIO()  # capsys loses what another thread writes while it is read
    with redirect_stderr(heard), waiting_for_kafka(address, silence=0.01):
        wait_until(lambda: heard.getvalue().endswith("\n"), "the message")
    assert (
        heard.getvalue()
        == f"Kafka at {address} has not answered yet ({address}: Connection refused); waiting up to 60 s\n"
    )


def test_a_check_that_is_answered_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting_for_kafka("127.0.0.1:1", silence=60):
        pass
    assert capsys.readouterr().err == ""
