"""The API keeps the promises of its description, tried with requests that schemathesis generates from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import schemathesis
from consoles import TOKEN, Pipeline, RunningConsole, SteeredProducer, made_by_the_producer
from hypothesis import HealthCheck, given, settings
from running import wait_until
from schemathesis.specs.openapi.checks import positive_data_acceptance

pytestmark = pytest.mark.integration

EXAMPLES = settings(
    max_examples=15, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def description(
    start_console: Callable[..., RunningConsole], pipeline: Pipeline, producer: SteeredProducer
) -> schemathesis.BaseSchema:
    steered = ("--producer-url", producer.url)
    console = start_console("--flink-url", "", *steered, WIN_EVENT_HTTP_TOKEN=TOKEN)
    pipeline.send(*made_by_the_producer(20))
    pipeline.reject(b"\xff", "not-utf8")
    pipeline.answer("alerts", [1], {"rule": "error_burst"})
    wait_until(
        lambda: console.services() == {"kafka": "up", "flink": "off", "producer": "up", "cache": "off"},
        "all is up",
    )
    return schemathesis.openapi.from_url(f"{console.url}/openapi.json")


def test_every_answer_is_within_the_schema(description: schemathesis.BaseSchema) -> None:
    """No 5xx; no status, type or body that the description does not name. The stream never ends."""
    operations = [found.ok() for found in description.exclude(path="/api/v1/stream").get_all_operations()]
    assert len(operations) == 15
    for operation in operations:

        @given(operation.as_strategy())
        @EXAMPLES
        def ask(case: schemathesis.Case) -> None:
            # A schema cannot say which of its texts is a time, so a wrong one may be refused.
            case.call_and_validate(
                headers={"X-Win-Event-Console": "1"}, timeout=60, excluded_checks=[positive_data_acceptance]
            )

        ask()
