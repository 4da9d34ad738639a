"""The live stream of one browser: a frame is made when the browser can take one, and never queued.

A frame contains the changes since the browser's last one. A slow browser gets fewer and larger frames, with
only the newest events, but always with the number of all events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from console.hub import Hub
from console.state.filter import Filter
from console.state.series import NAMES, SECONDS
from console.web import answers

INTERVAL = 0.5  # seconds between two frames
MAX_STREAMS = 32
_EVENTS, _REJECTED, _ROWS = 60, 50, 60  # most events in one frame


class Frames:
    """Makes the frames of one browser; it knows what the browser has seen already."""

    def __init__(self, hub: Hub, wanted: Filter) -> None:
        self._hub, self._wanted = hub, wanted
        self._event, self._rejected, self._second = 0, 0, 0
        self._versions: dict[str, int] = {}

    def next(self, now: float) -> dict[str, Any]:
        hub = self._hub
        frame: dict[str, Any] = {"at": now, "status": answers.status(hub, now).model_dump()}
        frame["names"] = NAMES
        frame["series"] = hub.series.rows(max(self._second, int(now) - SECONDS), now)
        self._second = int(now) - 1  # send it once more: records of a second may be counted after its end
        frame["events"] = self._events()
        frame["rejected"] = self._rejected_lines()
        frame["rows"] = self._changed_rows()
        return frame

    def _events(self) -> dict[str, Any]:
        last = self._hub.events.last
        found = self._hub.events.newest(_EVENTS, self._event, self._wanted if self._wanted else None)
        came = last - self._event
        self._event = last
        lines = [answers.event_answer(event).model_dump() for event in found if event.sequence <= last]
        return {"lines": lines, "came": came}

    def _rejected_lines(self) -> list[dict[str, Any]]:
        found = self._hub.rejected.newest(_REJECTED, self._rejected)
        if found:
            self._rejected = found[0].sequence
        return [answers.rejected_answer(line).model_dump() for line in found]

    def _changed_rows(self) -> dict[str, Any]:
        results, changed = self._hub.results, {}
        for topic in self._hub.settings.topics.results:
            version = results.version(topic)
            if version != self._versions.get(topic, 0):
                self._versions[topic] = version
                newest = results.newest(topic, _ROWS)
                kept = results.count(topic)
                changed[topic] = {
                    "kept": kept,
                    "rows": [answers.row_answer(row).model_dump() for row in newest],
                }
        return changed


async def stream(frames: Frames, is_stopping: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Server-sent events. The sender waits for the socket, so the next frame is made afterwards."""
    yield b"retry: 1000\n\n"
    while not is_stopping():
        frame = await asyncio.to_thread(frames.next, time.time())
        yield b"data: " + orjson.dumps(frame) + b"\n\n"
        await asyncio.sleep(INTERVAL)
