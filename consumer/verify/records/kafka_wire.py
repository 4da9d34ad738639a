"""Kafka's protocol for the few requests that confluent-kafka does not offer: framing, login, reading answers.

For numbers and layouts, see the message definitions in Kafka's clients/src/main/resources/common/message.
Login by PLAIN or SCRAM (RFC 5802), by certificate, or none.
"""

from __future__ import annotations

import base64
import secrets
import socket
import ssl
import struct
from types import TracebackType

from kafka_setup.connection.scram import client_proof, salted_password
from kafka_setup.connection.security import PLAIN, SCRAM_HASHES
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection

_HANDSHAKE, _AUTHENTICATE = (17, 1), (36, 1)


class WireError(Exception):
    """The broker gave an unexpected answer, or refused."""


class Answer:
    """Reads an answer from front to back; compact forms are those of flexible versions."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, form: str) -> int:
        """A number in a form of `struct`: `h`, `i` or `q`, which have 16, 32 or 64 bits."""
        size = struct.calcsize(form)
        (value,) = struct.unpack_from(f">{form}", self._data, self._at)
        self._at += size
        return int(value)

    def unsigned(self) -> int:
        """A varint."""
        value = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        self._at += size
        return piece

    def text(self) -> str:
        """A compact string; null reads as empty."""
        return self.take(max(self.unsigned() - 1, 0)).decode()

    def array(self) -> range:
        """A range with one number for each element of a compact array."""
        return range(max(self.unsigned() - 1, 0))

    def tags(self) -> None:
        for _ in range(self.unsigned()):
            self.unsigned()
            self.take(self.unsigned())


def compact(text: str) -> bytes:
    """A compact string: its length + 1 as a varint, then its bytes."""
    raw = text.encode()
    return varint(len(raw) + 1) + raw


def varint(value: int) -> bytes:
    found = b""
    while value >= 0x80:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


class Wire:
    """One connection to one broker, logged in. Raises OSError, WireError."""

    def __init__(self, connection: KafkaConnection, host: str, port: int) -> None:
        self._connection = connection
        self._socket: socket.socket = socket.create_connection((host, port), timeout=REQUEST_TIMEOUT)
        try:
            if connection.uses_tls:
                self._socket = _tls(connection).wrap_socket(self._socket, server_hostname=host)
            if connection.uses_sasl:
                self._log_in()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, api: tuple[int, int], body: bytes, *, flexible: bool = True) -> Answer:
        """Send one request (key and version) and return its answer, without the header."""
        name = b"win-event-verify"
        header = struct.pack(">hhi", *api, 1) + struct.pack(">h", len(name)) + name + b"\0" * flexible
        self._socket.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        (size,) = struct.unpack(">i", self._read(4))
        answer = Answer(self._read(size))
        answer.number("i")
        if flexible:
            answer.tags()
        return answer

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise WireError("the broker closed the connection")
            data += piece
        return data

    def _log_in(self) -> None:
        mechanism = self._connection.sasl_mechanism
        asked = mechanism.encode()
        answer = self.ask(_HANDSHAKE, struct.pack(">h", len(asked)) + asked, flexible=False)
        if answer.number("h"):
            raise WireError(f"the broker does not offer {mechanism}")
        user, password = str(self._connection.username), str(self._connection.password)
        if mechanism == PLAIN:
            self._authenticate(f"\0{user}\0{password}".encode())
        elif mechanism in SCRAM_HASHES:
            self._scram(mechanism, user, password)
        else:
            raise WireError(f"no login by {mechanism} here")

    def _scram(self, mechanism: str, user: str, password: str) -> None:
        name = user.replace("=", "=3D").replace(",", "=2C")
        first = f"n={name},r={secrets.token_hex(16)}"
        challenge = self._authenticate(f"n,,{first}".encode()).decode()
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        last = f"c=biws,r={fields['r']}"
        salted = salted_password(mechanism, password, base64.b64decode(fields["s"]), int(fields["i"]))
        proof = client_proof(mechanism, salted, f"{first},{challenge},{last}")
        self._authenticate(f"{last},p={base64.b64encode(proof).decode()}".encode())

    def _authenticate(self, data: bytes) -> bytes:
        answer = self.ask(_AUTHENTICATE, struct.pack(">i", len(data)) + data, flexible=False)
        refused = answer.number("h")
        answer.take(max(answer.number("h"), 0))
        if refused:
            raise WireError("the broker refuses the login")
        return answer.take(answer.number("i"))


def _tls(connection: KafkaConnection) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=connection.ca_file)
    if connection.certificate_file:
        context.load_cert_chain(connection.certificate_file, connection.key_file)
    return context
