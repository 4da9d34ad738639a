"""The TCP server: accepts clients and gives each a thread with a cursor into the event log."""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from producer.log.event_log import EventLog
from producer.serving.client import REASONS, Client, ClientSettings
from producer.serving.connection import Connection
from producer.serving.plain_positions import PlainPositions
from toolkit.addresses import PRODUCER_PORT

_log = logging.getLogger("producer.serving.server")

_BACKLOG = 1024
_STACK_BYTES = (
    256 * 1024
)  # a client thread needs a few frames; the default of 8 MiB would waste address space
_REFUSING = 64  # clients above the limit that get an answer; further ones are closed at once
_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_BACK_OFF_SECONDS = 0.1


@dataclass(frozen=True)
class ServerSettings:
    """The settings of the TCP server.

    `host` may be a name, an IPv4 or an IPv6 address; port 0 takes a free one.
    """

    host: str = "127.0.0.1"
    port: int = PRODUCER_PORT
    max_clients: int = 1024
    drain_seconds: float = 5.0
    client: ClientSettings = field(default_factory=ClientSettings)


class Server:
    """Call start(), then stop(). `address` is the bound address."""

    def __init__(
        self, settings: ServerSettings, log: EventLog, positions: PlainPositions | None = None
    ) -> None:
        self._settings, self._log = settings, log
        self._positions = positions
        self.ended: Counter[str] = Counter(dict.fromkeys(REASONS, 0))  # reason -> clients
        self.ended_bytes = 0
        self._clients: set[Client] = set()
        self._refused: set[Client] = set()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._closing = threading.Event()
        self._listener = bind(settings.host, settings.port)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        self._acceptor.start()

    @property
    def is_listening(self) -> bool:
        return not self._closing.is_set()

    def close(self) -> None:
        """Release the port, also after an error."""
        self._closing.set()
        self._listener.close()

    def clients(self) -> list[Client]:
        with self._lock:
            return list(self._clients)

    def count(self) -> int:
        """Clients connected now."""
        return len(self._clients)

    def wait_for_clients(self, count: int, stop: threading.Event) -> None:
        """Wait until `count` clients are served, or for a stop."""
        with self._changed:
            while not stop.is_set() and sum(client.is_served for client in self._clients) < count:
                self._changed.wait(0.1)

    def wait_until_drained(self, stop: threading.Event) -> None:
        """Wait until every connected client has the whole log, or for a stop."""
        while not stop.wait(0.05):
            if all(client.offset >= self._log.end for client in self.clients()):
                return

    def stop(self, at_once: Callable[[], bool] = lambda: False) -> None:
        """Accept no more clients; after `drain_seconds`, or at `at_once()`, disconnect the others."""
        self._closing.set()
        self._listener.close()
        deadline = time.monotonic() + self._settings.drain_seconds
        for client in self.clients():
            client.finish(deadline)
        self._log.wake()
        while self.clients() and time.monotonic() < deadline and not at_once():
            with self._changed:
                self._changed.wait(0.1)
        for client in self.clients():
            client.cut()
        self._acceptor.join(2.0)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, address = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if self._closing.is_set():
                    return
                if error.errno in _OUT_OF_RESOURCES:
                    _log.warning("cannot accept clients for now: %s; raise `ulimit -n`", error.strerror)
                self._closing.wait(_BACK_OFF_SECONDS)
                continue
            self._admit(connection, f"{address[0]}:{address[1]}")

    def _admit(self, connection: socket.socket, address: str) -> None:
        with self._lock:
            full = len(self._clients) >= self._settings.max_clients
            if full and len(self._refused) >= _REFUSING:
                connection.close()
                return
            client = Client(
                Connection(connection),
                address,
                self._log,
                self._settings.client,
                self._gone,
                self._plain_start,
                lambda _: self.save_positions(),
            )
            if full:
                client.refusal = f"this server serves {self._settings.max_clients} clients already"
            (self._refused if full else self._clients).add(client)
        try:
            _start_small(threading.Thread(target=client.run, name=address, daemon=True))
        except RuntimeError as error:  # no more threads
            _log.warning("cannot serve %s: %s", address, error)
            connection.close()
            self._gone(client, "error")

    def _plain_start(self, client: Client) -> int | None:
        """Where a plain client that was here before continues; None without --plain-resume."""
        if self._positions is None:
            return None
        for other in self.clients():
            # The end of a killed reader may not have been noticed yet, but it has left.
            if other is not client and other.is_plain_from(client.ip) and other.is_leaving():
                self._leave(other)
        lowest = self._positions.lowest(client.ip, self._log.start)
        return None if lowest is None else lowest - self._positions.overlap

    def _leave(self, client: Client) -> None:
        if self._positions and not client.has_left:
            client.has_left = True
            self._positions.leave(client.ip, client.offset)

    def save_positions(self) -> None:
        """Store the positions of plain clients for the next start."""
        if self._positions:
            self._positions.save(
                [(each.ip, each.offset) for each in self.clients() if each.is_plain_from(each.ip)]
            )

    def slowest(self) -> int:
        """The lowest cursor of all clients."""
        return min((client.offset for client in self.clients()), default=self._log.end)

    def _gone(self, client: Client, reason: str) -> None:
        if client.is_plain_from(client.ip):
            self._leave(client)
        with self._changed:
            self.ended[reason] += 1
            self.ended_bytes += client.sent_bytes
            self._clients.discard(client)
            self._refused.discard(client)
            self._changed.notify_all()


def _start_small(thread: threading.Thread) -> None:
    """Start a thread with a small stack. The size is a setting of the whole process, so it is restored
    afterwards.
    """
    threading.stack_size(_STACK_BYTES)
    try:
        thread.start()
    finally:
        threading.stack_size(0)


def bind(host: str, port: int) -> socket.socket:
    """Listen on the first address of `host`; the IPv6 any-address accepts IPv4, too."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.settimeout(0.5)  # a closed listener does not wake a blocked accept()
    except BaseException:
        listener.close()
        raise
    return listener
