"""The OpenAPI document against the real server: no request gets a 5xx or an answer outside the schema."""

from __future__ import annotations

import pytest
import schemathesis
from http_client import Http
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    ("POST", "/events"), ("POST", "/logs"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"),
    ("GET", "/status"), ("POST", "/start"), ("POST", "/stop"), ("PUT", "/rate"),
    ("POST", "/scenarios/{name}"),
]  # fmt: skip


@pytest.fixture(scope="module")
def schema(start_producer_for_module):
    server = start_producer_for_module("--rate", "5", "--http-port", "0")
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{Http(server).port}/openapi.json")


def test_every_operation_is_tried(schema) -> None:
    known = {(found.ok().method.upper(), found.ok().path) for found in schema.get_all_operations()}
    assert known == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_answer_outside_the_schema(schema, method: str, path: str) -> None:
    operation = schema[path][method]
    # What takes no body can be asked in no wrong way.
    modes = GenerationMode if operation.body else [GenerationMode.POSITIVE]
    for mode in modes:

        @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def fuzz(case: schemathesis.Case) -> None:
            answer = case.call(timeout=60)
            case.validate_response(answer, checks=CHECKS)

        fuzz()
