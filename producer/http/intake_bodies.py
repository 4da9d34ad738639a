"""Answers POST /events and /logs: puts the posted events into the log.

It reads the body itself, because FastAPI's parameters would first hold all of it in memory.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from producer.http.bodies import BodyError, Gunzip, json_events
from producer.http.connections import OVER
from producer.http.guard import JSON_KIND, NDJSON_KINDS
from producer.http.problems import Refusal
from producer.http.settings import HttpLimits
from producer.log.event_log import LogFullError, LogRefusedError
from producer.log.intake import Intake, Place
from producer.log.lines import LineSplitter, as_logged
from toolkit.request_headers import media_type

BOM = b"\xef\xbb\xbf"  # it is the start of a body written by Windows, not part of the first event
_SHOWN = 1000  # rejected events that an answer lists
_TURN = 0.005  # seconds for which one request may block all others
_LARGE = 256 * 1024  # from this size on, the events of a body are found in a thread, for the same reason
_REASONS = {413: "too large", 408: "too slow", 503: "stopping"}
_WORDS = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass
class _Taking:
    """The events that one request has sent so far."""

    lines: list[bytes] = field(default_factory=list)  # checked, not in the log yet
    accepted: int = 0
    seen: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    place: Place | None = None

    async def check(self, events: Iterable[bytes]) -> None:
        """Check the lines. A body may have millions of them, so other requests get their turn meanwhile."""
        begin = time.monotonic()
        for event in events:
            line, reason = as_logged(event if self.seen else event.removeprefix(BOM))
            if line:
                self.lines.append(line)
            else:
                self.reasons[reason] += 1
                if len(self.rejected) < _SHOWN:
                    self.rejected.append({"index": self.seen, "reason": reason})
            self.seen += 1
            if time.monotonic() - begin > _TURN:
                await asyncio.sleep(0)
                begin = time.monotonic()

    def append(self, intake: Intake) -> None:
        """Put the checked lines into the log. Raises LogRefusedError."""
        if not self.lines:
            return
        place = intake.append(self.lines)
        self.place = Place(self.place.offset if self.place else place.offset, place.end)
        self.accepted += len(self.lines)
        self.lines = []

    def told(self, log_id: str) -> dict[str, Any]:
        told: dict[str, Any] = {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "rejected_count": self.reasons.total(),
            "log_id": log_id,
        }
        if self.place:
            told |= {"offset": self.place.offset, "end_offset": self.place.end}
        return told


@dataclass(frozen=True)
class Taker:
    """Answers one request after the other. `rejected` is called with the reason for every line that is not
    taken.

    `is_open` is false when the producer stops: no client would receive later events.
    """

    intake: Intake
    log_id: str
    limits: HttpLimits
    rejected: Callable[[Mapping[str, int]], object]
    is_open: Callable[[], bool]

    async def take(self, request: Request) -> Response:
        is_lines = media_type(request.headers) in NDJSON_KINDS
        is_atomic = _flag(request, "atomic")
        is_streamed = is_lines and not is_atomic
        taking = _Taking()
        try:
            body = _pieces(request, self.limits.stream if is_streamed else self.limits.body)
            if is_streamed:
                await self._take_stream(body, taking)
            else:
                await self._take_whole(body, taking, is_lines, is_atomic)
        except BodyError as error:
            reason = _REASONS.get(error.status, "")
            raise Refusal(error.status, str(error), reason, **self._so_far(taking)) from error
        except LogFullError as error:
            detail = f"{error}; try again when it has read"
            raise Refusal(429, detail, "log full", **self._so_far(taking)) from error
        except LogRefusedError as error:
            raise Refusal(503, f"{error}; try again", "log refused", **self._so_far(taking)) from error
        finally:
            self.rejected(taking.reasons)
        if not taking.accepted:
            raise Refusal(422, _nothing(taking), **taking.told(self.log_id))
        return Response(orjson.dumps(taking.told(self.log_id)), 200, media_type=JSON_KIND)

    async def _take_stream(self, body: AsyncIterator[bytes], taking: _Taking) -> None:
        """Take line by line as they arrive: only one piece is in memory at a time."""
        splitter = LineSplitter()
        async for piece in body:
            await taking.check(splitter.feed(piece))
            self._append(taking)
        await taking.check(splitter.finish())
        self._append(taking)

    async def _take_whole(
        self, body: AsyncIterator[bytes], taking: _Taking, is_lines: bool, is_atomic: bool
    ) -> None:
        content = b"".join([piece async for piece in body])
        cut = (
            partial(LineSplitter().feed, content + b"\n")
            if is_lines
            else partial(json_events, content.removeprefix(BOM))
        )
        await taking.check(cut() if len(content) < _LARGE else await asyncio.to_thread(cut))
        if not (is_atomic and taking.reasons):
            self._append(taking)

    def _append(self, taking: _Taking) -> None:
        if not self.is_open():
            raise BodyError("the producer is stopping", 503)
        taking.append(self.intake)

    def _so_far(self, taking: _Taking) -> dict[str, Any]:
        return taking.told(self.log_id) if taking.accepted else {}


def _nothing(taking: _Taking) -> str:
    if not taking.seen:
        return "the body holds no event"
    first = taking.rejected[0]
    return (
        f"no event was accepted: {taking.reasons.total()} of {taking.seen} are not events, "
        f"the first is event {first['index']}: {first['reason']}"
    )


def _flag(request: Request, name: str) -> bool:
    word = request.query_params.get(name, "").lower()
    if word not in _WORDS:
        raise Refusal(422, f"{name}={word}: expected true or false")
    return _WORDS[word]


async def _pieces(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The unpacked body. Raises BodyError."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise BodyError(f"Content-Encoding {encoding!r}: expected gzip, or no encoding", 415)
    declared = request.headers.get("content-length", "0")
    too_large = BodyError(f"the body has more than {limit} bytes; post it in parts", 413)
    if int(declared) > limit:
        raise too_large
    gunzip, taken = Gunzip(limit) if "gzip" in encoding else None, 0
    async for piece in _received(request):
        taken += len(piece)
        if taken > limit:
            raise too_large
        if gunzip is None:
            yield piece
            continue
        for part in gunzip.feed(piece):
            yield part
            await asyncio.sleep(0)  # an unpacked piece may be a thousand times as large
    if gunzip:
        gunzip.finish()


async def _received(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises BodyError."""
    is_more = True
    while is_more:
        message = await request.receive()
        if OVER in request.scope and message.get("more_body", True):
            status, detail = request.scope[OVER]
            raise BodyError(detail, status)
        if message["type"] == "http.disconnect":
            raise BodyError("the connection ended before the body did")
        is_more = message["more_body"]
        yield message["body"]
