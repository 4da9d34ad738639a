"""One TCP connection to a producer: opening it, TLS, the RESUME request."""

from __future__ import annotations

import socket
import ssl

from producer.endpoint import Endpoint
from producer.protocol import KEEPALIVE, MAX_ANSWER_BYTES, ProtocolError, ResumeAnswer, ResumeRequest

_ANSWER_SECONDS = 60.0  # for the connection, and for each part of an answer


class StreamError(Exception):
    """Reconnecting would not help; the text is for the person at the terminal."""


def open_connection(endpoint: Endpoint, tls: ssl.SSLContext | None) -> socket.socket:
    """A connected socket. Raises OSError, or StreamError if the server's certificate is not trusted."""
    connection = socket.create_connection((endpoint.host, endpoint.port), timeout=_ANSWER_SECONDS)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return tls.wrap_socket(connection, server_hostname=endpoint.host) if tls else connection
    except BaseException as error:
        connection.close()
        if isinstance(error, ssl.SSLCertVerificationError):
            raise StreamError(f"{endpoint}: its certificate is refused: {error.verify_message}") from error
        raise


def resume(
    connection: socket.socket, endpoint: Endpoint, request: ResumeRequest
) -> tuple[ResumeAnswer, bytes]:
    """Send the request; returns the answer and the bytes of the log that came with it.

    Raises OSError if another try may help, StreamError if the server refuses or does not know RESUME.
    """
    connection.settimeout(_ANSWER_SECONDS)
    connection.sendall(request.encode())
    line, rest = _first_line(connection)
    try:
        answer = ResumeAnswer.decode(line)
    except ProtocolError as error:
        hint = "it can be read without --bookmark and --from-start"
        raise StreamError(f"{endpoint} cannot resume, {hint} ({error})") from error
    if answer.code == "busy":
        raise ConnectionRefusedError(answer.reason)
    if answer.status == "error":
        raise StreamError(f"{endpoint} cannot continue from there: {answer.reason}")
    return answer, rest


def _first_line(connection: socket.socket) -> tuple[bytes, bytes]:
    """The first line that is not empty, and the bytes that came after it."""
    data = b""
    while b"\n" not in data and len(data) <= MAX_ANSWER_BYTES:
        chunk = connection.recv(MAX_ANSWER_BYTES)
        if not chunk:
            raise ConnectionResetError("the server closed the connection before it answered RESUME")
        data = (data + chunk).lstrip(b"\n")
    line, _, rest = data.partition(b"\n")
    return line, rest
