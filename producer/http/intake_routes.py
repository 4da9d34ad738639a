"""POST /events and /logs as routes, and their description in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from producer.http.guard import INTAKE_PATHS, JSON_KIND, NDJSON_KINDS
from producer.http.intake_bodies import Taker
from producer.http.models import Accepted, IntakeProblem
from toolkit.problems import KIND


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
in their order. If only some events of a body are valid, these are taken; with `atomic=true`, all or none are.
NDJSON is taken line by line as it arrives; gzip is unpacked. If the log cannot grow, the answer is 429 or
503 with `Retry-After`; it says which events were taken before."""
_EVENT = {"type": "object", "additionalProperties": True, "example": {"computer": "WS-1", "event_id": 4624}}
_EVENTS = {"type": "array", "items": _EVENT}
_ENVELOPE = {"type": "object", "required": ["events"], "properties": {"events": _EVENTS}}
_REQUEST = {
    "parameters": [
        {
            "name": "atomic", "in": "query", "required": False, "description": "Take all events or none.",
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
    200: {"model": Accepted, "description": "All or some events were taken."},
    422: {"description": "No event was taken; the answer says why.", **_PROBLEM},
    429: {"description": "A slow client holds the log (--slow-client block).", **_PROBLEM},
    503: {"description": "The log cannot grow, for example because its disk is full.", **_PROBLEM},
}
