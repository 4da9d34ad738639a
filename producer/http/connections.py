"""uvicorn's HTTP connection with strict limits: size of the head, time, number of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from producer.http.problems import whole_answer
from producer.http.settings import HttpLimits
from toolkit.problems import problem

OVER = "win-event: over"  # in the scope of a request that must end: status and detail of its answer
_REFUSED = 64  # connections above the limit that get an answer; further ones are closed at once
_LINGER = 2.0  # seconds in which a client may still send unread data, so that it receives its answer


def connections(limits: HttpLimits, refused: Callable[[str], object]) -> type[HttpToolsProtocol]:
    """The protocol class for uvicorn; `refused` is called with each reason, one of REFUSALS."""
    return type("_Connection", (_Connection,), {"limits": limits, "refused": staticmethod(refused)})


class Listener(uvicorn.Server):
    """Checks its connections once a second."""

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, _Connection):
                    connection.look(now)
        return await super().on_tick(counter)


class _Connection(HttpToolsProtocol):
    limits: HttpLimits
    refused: Callable[[str], object]

    _since: float | None = None  # when the current request began (loop time)
    _head = 0  # bytes of its head so far
    _is_in_head = True
    _is_whole = False  # its whole body has arrived
    _is_over = False  # one connection too many
    _is_warned = False  # the application was told that the time is over
    _is_ended = False  # the answer is complete; further input is not read as a request

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._since = self.loop.time()
        over = len(self.connections) - self.limits.connections
        self._is_over = over > 0
        if over > _REFUSED:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._is_ended:
            return
        if self._is_over:
            self._end(503, f"{self.limits.connections} connections are open already", "too many connections")
            return
        if self._since is None:
            self._since = self.loop.time()
        super().data_received(data)
        if self._is_in_head:
            self._head += len(data)
            if self._head > self.limits.header:
                self._end(431, self._head_too_large(), "too large")

    def send_400_response(self, msg: str) -> None:
        self._end(400, "this is not an HTTP/1.1 request")

    def on_message_begin(self) -> None:
        self._since, self._head = self.loop.time(), 0
        self._is_in_head, self._is_whole, self._is_warned = True, False, False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._head += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value) + 4
        if self._is_in_head:  # more requests may follow the body; nobody reads them
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        own = self.app
        if self._head > self.limits.header:
            self.app = self._too_large
        super().on_headers_complete()
        self.app = own

    def on_message_complete(self) -> None:
        self._is_whole = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        now = self.loop.time()
        if self._is_whole:
            self._since = now if self.pipeline else None
        else:
            self._since = now - self.limits.seconds + _LINGER
        super().on_response_complete()

    def look(self, now: float) -> None:
        """End a request that takes too long. Called every second; `now` is the time of the loop."""
        if self._since is None or now - self._since < self.limits.seconds:
            return
        self._since = None
        detail = f"the request was not complete after {self.limits.seconds:g} s"
        if self._is_ended:
            self.transport.close()
        elif self._warns(408, detail):
            return
        elif self.cycle is not None and self.cycle.response_started:
            self.transport.close() if self.cycle.response_complete else self.transport.abort()
        else:
            self._end(408, detail, "too slow")

    def shutdown(self) -> None:
        super().shutdown()
        self._warns(503, "the producer is stopping")

    def _warns(self, status: int, detail: str) -> bool:
        """Let the application answer, once, because it knows which events it took; False if it cannot.

        The application receives an empty piece of the body.
        """
        cycle = self.cycle
        if cycle is None or cycle.response_started or self._is_in_head or self._is_warned:
            return False
        self._is_warned, self._since = True, self.loop.time() - self.limits.seconds + _LINGER
        cast(dict[str, Any], cycle.scope)[OVER] = (status, detail)
        cycle.message_event.set()
        return True

    def _end(self, status: int, detail: str, reason: str = "") -> None:
        if self.transport.is_closing():
            return
        if reason:
            self.refused(reason)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # its further output is ignored
            self.cycle.message_event.set()
        self.transport.write(whole_answer(status, detail))
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        # Closing while a client still sends would reset the connection, and the client would lose its answer.
        self.transport.write_eof()
        self._is_ended, self._since = True, self.loop.time() - self.limits.seconds + _LINGER

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.refused("too large")
        await problem(431, self._head_too_large())(scope, receive, send)

    def _head_too_large(self) -> str:
        return f"the head of the request has more than {self.limits.header} bytes"
