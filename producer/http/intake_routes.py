"""POST /events and /logs as routes, and their description in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from producer.http.guard import INTAKE_PATHS, JSON_KIND, NDJSON_KINDS
from producer.http.intake import Taker
from producer.http.models import Accepted, IntakeProblem
from producer.http.problems import KIND


def intake_routes(taker: Taker) -> APIRouter:
    api = APIRouter(tags=["intake"])
    for path in INTAKE_PATHS:
        api.add_api_route(
            path,
            taker.take,
            methods=["POST"],
            name=f"post_{path[1:]}",
            summary='Take one event, an array of them, {"events": […]}, or lines (NDJSON)',
            description=_DESCRIPTION,
            response_model=None,
            responses=_RESPONSES,
            openapi_extra=_REQUEST,
        )
    return api


_DESCRIPTION = """Events go into the log as whole lines, byte for byte (characters beyond ASCII are escaped),
in their order. Of a body with good and bad events the good ones are taken; `atomic=true` takes all or none.
NDJSON is taken line by line while it comes; gzip is unpacked. When the log may not grow, the answer is 429 or
503 with `Retry-After`, and says what was taken before."""
_EVENT = {"type": "object", "additionalProperties": True, "example": {"computer": "WS-1", "event_id": 4624}}
_EVENTS = {"type": "array", "items": _EVENT}
_ENVELOPE = {"type": "object", "required": ["events"], "properties": {"events": _EVENTS}}
_REQUEST = {
    "parameters": [
        {
            "name": "atomic", "in": "query", "required": False, "description": "All or nothing.",
            "schema": {"type": "boolean", "default": False},
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            JSON_KIND: {"schema": {"anyOf": [_EVENT, _ENVELOPE, _EVENTS]}},
            NDJSON_KINDS[0]: {"schema": {"type": "string", "example": '{"computer":"WS-1"}\n'}},
        },
    },
}  # fmt: skip
_PROBLEM = {"content": {KIND: {"schema": IntakeProblem.model_json_schema()}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": Accepted, "description": "All or some were taken."},
    422: {"description": "Nothing was taken, and why.", **_PROBLEM},
    429: {"description": "A slow client holds the log (--slow-client block).", **_PROBLEM},
    503: {"description": "The log may not grow, for instance because its disk is full.", **_PROBLEM},
}
