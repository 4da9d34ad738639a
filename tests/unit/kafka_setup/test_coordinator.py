"""The first request of a group may come before its coordinator is ready: it is sent again."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from kafka_setup.connection.reading import coordinated


def test_a_coordinator_that_moves_is_asked_again() -> None:
    answers = iter([KafkaException(KafkaError(KafkaError.NOT_COORDINATOR)), "places"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, KafkaException):
            raise answer
        return answer

    assert coordinated(ask) == "places"


def test_any_other_refusal_is_told_at_once() -> None:
    def ask() -> str:
        raise KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))

    with pytest.raises(KafkaException, match="GROUP_AUTHORIZATION_FAILED"):
        coordinated(ask)
