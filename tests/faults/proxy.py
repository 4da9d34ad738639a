"""A TCP proxy in this process whose faults are switched on and off while it forwards.

It works above TCP: what it holds back has been acknowledged to the sender's kernel, as with a middlebox.
"""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

_PIECE = 64 * 1024
_LOOK_SECONDS = 0.05  # a blocked pump looks this often whether its connection is to be broken


@dataclass(frozen=True)
class Cut:
    """End a connection inside a line of one of these `lengths`, LF included, that follows `after` lines.

    `into`: bytes of the line that still pass; negative, those at its end that do not.
    """

    into: int
    lengths: range
    after: int = 20

    def position(self, data: bytes) -> int | None:
        """Where to cut a connection, in bytes from its start; None if the line has not come yet."""
        start = 0
        for number, line in enumerate(io.BytesIO(data)):
            if number >= self.after and line.endswith(b"\n") and len(line) in self.lengths:
                return start + len(line[: self.into])
            start += len(line)
        return None


class Proxy:
    """Listens on `port` (0 takes a free one) and forwards to `target`, both on loopback.

    `connections`, `cuts`, `resets`, `refused` count what happened; the counters are the proof of a fault.
    While nobody listens on `target`, every connection is refused.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self.target = target
        self.delay = 0.0  # seconds that every piece waits
        self.bytes_per_second = 0  # 0: no limit
        self.cuts_to_come: Iterator[Cut] = iter(())  # one for each connection that is still to come
        self.connections = self.cuts = self.resets = self.refused = self.forwarded = 0
        self._gate = threading.Event()
        self._gate.set()
        self._open: set[_Connection] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def black_hole(self) -> None:
        """Pass nothing in either direction; connections stay open and new ones get no answer."""
        self._gate.clear()

    def heal(self) -> None:
        self.delay, self.bytes_per_second, self.cuts_to_come = 0.0, 0, iter(())
        self._gate.set()

    def reset(self) -> int:
        """Break every connection with RST on both sides; returns their number."""
        return self._break(reset=True)

    def finish(self) -> int:
        """End every connection with FIN; returns their number."""
        return self._break(reset=False)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # close() alone does not wake accept()
        self._listener.close()
        self._gate.set()
        self._break(reset=False)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _break(self, reset: bool) -> int:
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            connection.end(reset)
        self.resets += len(connections) if reset else 0
        return len(connections)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        self._gate.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=60)
        except OSError:
            self.refused += 1
            _end(client, reset=True)  # what the client of a refused connection comes closest to
            return
        for each in (client, server):
            each.settimeout(_LOOK_SECONDS)
        connection = _Connection(client, server)
        with self._lock:
            self._open.add(connection)
            self.connections += 1
            cut = next(self.cuts_to_come, None)
        upward = threading.Thread(target=self._pump, args=(connection, client, server, None), daemon=True)
        upward.start()
        self._pump(connection, server, client, cut)
        upward.join()
        connection.end(reset=False)
        with self._lock:
            self._open.discard(connection)

    def _pump(
        self, connection: _Connection, source: socket.socket, sink: socket.socket, cut: Cut | None
    ) -> None:
        """Copy until an end of stream, a cut or a break."""
        held = b""
        with suppress(OSError):
            while not connection.ended:
                self._gate.wait()
                try:
                    data = source.recv(_PIECE)
                except TimeoutError:
                    continue
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                at = None
                if cut:  # nothing passes before the place of the cut is known
                    held += data
                    at = cut.position(held)
                    data = held[:at] if at is not None else b""
                self._send(connection, sink, data)
                if at is not None:
                    self.cuts += 1
                    connection.end(reset=False)
                    return
        connection.end(reset=False)

    def _send(self, connection: _Connection, sink: socket.socket, data: bytes) -> None:
        if self.delay:
            time.sleep(self.delay)
        view = memoryview(data)
        while view and not connection.ended:
            self._gate.wait()
            piece = view[: max(self.bytes_per_second // 20, 1)] if self.bytes_per_second else view
            try:
                sent = sink.send(piece)
            except TimeoutError:
                continue
            self.forwarded += sent
            view = view[sent:]
            if self.bytes_per_second:
                time.sleep(0.05)


class _Connection:
    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._sockets = (client, server)
        self._lock = threading.Lock()
        self.ended = False

    def end(self, reset: bool) -> None:
        with self._lock:
            self.ended, earlier = True, self.ended
        if not earlier:
            for each in self._sockets:
                _end(each, reset)


def _end(connection: socket.socket, reset: bool) -> None:
    with suppress(OSError):
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def cuts_at_every_byte(lengths: range) -> list[Cut]:
    """A cut after each byte of a line of the shortest of `lengths`; the last cut removes only the LF."""
    return [Cut(into, lengths) for into in (*range(1, lengths.start - 1), -1)]
