"""The routes under /api/v1: reading, and control of the producer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.responses import StreamingResponse

from console.hub import Hub
from console.reading.producer import ProducerApi
from console.settings import VERSION_PATH
from console.state.event import LEVELS, OTHER
from console.state.filter import MAX_TEXT, Filter, parse_filter
from console.web import answers, models
from console.web.guard import COOKIE, is_token, remembered
from console.web.stream import MAX_STREAMS, Frames, stream
from toolkit.problems import documented

Limit = Annotated[int, Query(ge=1, le=models.MAX_LIMIT)]
Text = Annotated[str, Query(alias="filter", max_length=MAX_TEXT, description="words, or field:value")]
Levels = Annotated[list[str], Query(alias="level", max_length=6, description="only these levels")]
TopicName = Annotated[str, Path(min_length=1, max_length=249, pattern=r"^[A-Za-z0-9._-]+$")]
_READ = documented(401, 403, 422)
_CHANGE = documented(401, 403, 404, 409, 413, 415, 422, 429, 502, 503)


def read_routes(hub: Hub) -> APIRouter:
    api = APIRouter(prefix=VERSION_PATH, tags=["read"], responses=_READ)

    @api.get("/status")
    def status() -> models.Status:
        """Services, producer, jobs, topics, groups. A service that is away is marked; the rest is fresh."""
        return answers.status(hub, time.time())

    @api.get("/topics")
    def topics() -> models.Topics:
        """Every topic that the console's user may see."""
        return models.Topics(service=answers.kafka_service(hub), topics=answers.topics(hub, time.time()))

    @api.get("/topics/{topic}/records", responses=documented(404, 503))
    def records(
        topic: TopicName,
        start: Annotated[
            str,
            Query(
                alias="from", max_length=40, description="latest, earliest, an offset, or a time (ISO 8601)"
            ),
        ] = "latest",
        partition: Annotated[int | None, Query(ge=0, le=100_000)] = None,
        limit: Limit = 50,
    ) -> models.Records:
        """Records, unchanged. `latest`: the last ones; an offset counts in every requested partition."""
        try:
            place = answers.read_place(start)
        except (ValueError, OverflowError) as error:
            raise HTTPException(
                422, f"from={start!r}: latest, earliest, an offset or a time with a zone"
            ) from error
        return answers.records(topic, hub.records.read(topic, partition, place, limit))

    @api.get("/consumer-groups")
    def consumer_groups() -> models.Groups:
        """Consumer groups with their lag."""
        return models.Groups(service=answers.kafka_service(hub), groups=answers.groups(hub))

    @api.get("/counts")
    def counts() -> models.Counts:
        """Numbers of events by level, of rejected lines and of late events.

        Events are counted since the console started or, with a cache, since an earlier console began it.
        """
        return answers.counts(hub)

    @api.get("/windows")
    def windows(
        topic: Annotated[str | None, Query(max_length=249, description="one of the window topics")] = None,
        limit: Limit = 100,
    ) -> models.Rows:
        """Results of the analytics that have a window, newest first."""
        names = hub.settings.topics.windows
        if topic is not None and topic not in names:
            raise HTTPException(422, f"topic={topic!r}: one of {', '.join(names)}")
        return answers.rows(hub, names if topic is None else (topic,), limit)

    @api.get("/alerts")
    def alerts(limit: Limit = 100) -> models.Rows:
        """Alerts with their evidence, newest first."""
        return answers.rows(hub, (hub.settings.topics.alerts,), limit)

    @api.get("/sessions")
    def sessions(limit: Limit = 100) -> models.Rows:
        """Logon sessions, newest first."""
        return answers.rows(hub, (hub.settings.topics.sessions,), limit)

    @api.get("/rejected")
    def rejected(
        limit: Limit = 100, reason: Annotated[str | None, Query(max_length=100)] = None
    ) -> models.RejectedLines:
        """Lines that the bridge rejected, newest first, with reason and bytes."""
        return answers.rejected(hub, limit, reason)

    @api.get("/events")
    def events(text: Text = "", levels: Levels = [], limit: Limit = 100) -> list[models.EventLine]:  # noqa: B006
        """The newest events that match the filter, among the last 10,000."""
        found = hub.events.newest(limit, wanted=_filter(text, levels))
        return [answers.event_answer(event) for event in found]

    return api


def stream_route(hub: Hub, is_stopping: list[bool]) -> APIRouter:
    api = APIRouter(prefix=VERSION_PATH, tags=["read"])
    open_streams: set[Frames] = set()

    @api.get(
        "/stream",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, **documented(401, 403, 422, 503)},
    )
    async def live(text: Text = "", levels: Levels = []) -> StreamingResponse:  # noqa: B006
        """Server-sent events: the changes, twice a second."""
        if len(open_streams) >= MAX_STREAMS:
            raise HTTPException(503, f"{MAX_STREAMS} pages are open already", {"Retry-After": "10"})
        frames = Frames(hub, _filter(text, levels))

        async def counted() -> AsyncIterator[bytes]:
            open_streams.add(frames)
            try:
                async for chunk in stream(frames, lambda: bool(is_stopping)):
                    yield chunk
            finally:
                open_streams.discard(frames)

        return StreamingResponse(
            counted(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    return api


def control_routes(hub: Hub) -> APIRouter:
    api = APIRouter(prefix=f"{VERSION_PATH}/producer", tags=["control"], responses=_CHANGE)

    def producer() -> ProducerApi:
        if hub.producer_api is None:
            raise HTTPException(503, "no producer: start the console with --producer-url")
        return hub.producer_api

    @api.post("/start")
    def start() -> models.Done:
        """Start generating events."""
        producer().start()
        return models.Done()

    @api.post("/stop")
    def stop() -> models.Done:
        """Stop generating events; clients stay connected."""
        producer().stop()
        return models.Done()

    @api.put("/rate")
    def rate(wanted: models.Rate) -> models.Done:
        """Change the rate, in events per second."""
        producer().set_rate(wanted.rate)
        return models.Done()

    @api.post("/scenarios/{name}")
    def scenario(name: Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$")]) -> models.Done:
        """Start an attack now."""
        producer().scenario(name)
        return models.Done()

    return api


def session_route(hub: Hub) -> APIRouter:
    api = APIRouter(prefix=VERSION_PATH, tags=["session"])

    @api.post("/session", status_code=204, responses=documented(401, 403, 413, 415, 422))
    def session(given: models.Token, response: Response) -> None:
        """Send the console's token once; a cookie that scripts cannot read stores it."""
        if not is_token(hub.settings, given.token):
            raise HTTPException(401, "that is not the token of this console (WIN_EVENT_CONSOLE_TOKEN)")
        response.set_cookie(COOKIE, remembered(given.token), httponly=True, samesite="strict", path="/api")

    return api


def _filter(text: str, levels: list[str]) -> Filter:
    if unknown := [level for level in levels if level not in (*LEVELS, OTHER)]:
        raise HTTPException(422, f"level={unknown[0]!r}: one of {', '.join((*LEVELS, OTHER))}")
    return parse_filter(text, frozenset(levels))
