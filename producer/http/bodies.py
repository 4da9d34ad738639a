"""Turns the body of a request into lines that may be events. Pure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import msgspec

_PIECE = 256 * 1024  # of an unpacked body at a time
_BREAKS = bytes.maketrans(b"\r\n", b"  ")
_SPACE = b" \t\r\n"
_ENVELOPE = re.compile(rb'\{\s*"events"\s*:\s*\[')
_array = msgspec.json.Decoder(list[msgspec.Raw])
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)
_PLAIN = re.compile(rb'[^\s,"\[\]{}]+').match  # a number, true, null, NaN


class BodyError(ValueError):
    """The body cannot be read; the text says why, `status` is the HTTP status."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Gunzip:
    """Unpacks gzip, also several members one after the other, and never more than `limit` bytes in all.

    Zeros behind a member are padding, as for gzip itself.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._taken = limit, 0
        self._member = zlib.decompressobj(wbits=31)
        self._is_inside = self._had_member = False

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Raises BodyError."""
        while packed := packed.lstrip(b"\0") if self._had_member and not self._is_inside else packed:
            self._is_inside = True
            try:
                piece = self._member.decompress(packed, _PIECE)
            except zlib.error as error:
                raise BodyError(f"the body is not gzip: {error}") from error
            self._taken += len(piece)
            if self._taken > self._limit:
                raise BodyError(f"the unpacked body has more than {self._limit} bytes", 413)
            yield piece
            packed = self._member.unconsumed_tail
            if self._member.eof:
                packed = self._member.unused_data
                self._member, self._is_inside, self._had_member = zlib.decompressobj(wbits=31), False, True

    def finish(self) -> None:
        """Raises BodyError for a body that was cut off."""
        if self._is_inside:
            raise BodyError("the gzip body ends too early")


def json_events(body: bytes) -> list[bytes]:
    """The events of one JSON text, each as one line: an event, an array of them, or {"events": […]}.

    Each keeps its bytes, except for line breaks between its members. Single events are not checked here.
    Raises BodyError for a damaged array.
    """
    text = body.strip(_SPACE)
    if not text:
        raise BodyError("the body holds no event")
    envelope = _ENVELOPE.match(text) if text.endswith(b"}") else None
    try:
        if envelope:
            return _elements(text[envelope.end() - 1 : -1].rstrip(_SPACE))
        if text[:1] == b"[":
            return _elements(text)
    except (ValueError, RecursionError) as error:
        if not envelope:
            raise BodyError(f"the body is not JSON: {error}") from error
    return [text.translate(_BREAKS)]


def _elements(array: bytes) -> list[bytes]:
    try:
        return [bytes(raw).translate(_BREAKS) for raw in _array.decode(array)]
    except (msgspec.DecodeError, RecursionError):
        # One event with NaN, half a surrogate pair or too many levels must not make the others fail; it is
        # reported later.
        return _elements_one_by_one(array)


def _elements_one_by_one(array: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = _gap(array, 1)
    while not found or array[at : at + 1] == b",":
        begin = _gap(array, at + 1) if found else at
        end = _end_of_value(array, begin)
        found.append(array[begin:end].translate(_BREAKS))
        at = _gap(array, end)
    if array[at:] != b"]":
        raise ValueError(f"event {len(found) - 1} is followed by {array[at : at + 20]!r}")
    return found


def _end_of_value(array: bytes, begin: int) -> int:
    """The end of the value that begins there, valid or not. Raises ValueError."""
    if plain := _PLAIN(array, begin):
        return plain.end()
    depth = 0
    for token in _TOKEN.finditer(array, begin):
        depth += (token[0] in (b"[", b"{")) - (token[0] in (b"]", b"}"))
        if depth < 0:
            raise ValueError(f"no event before {array[token.start() : token.start() + 20]!r}")
        if depth == 0:
            return token.end()
    raise ValueError("the array does not end")


def _gap(array: bytes, at: int) -> int:
    """The start of the next token. Raises ValueError at the end of the text."""
    while array[at : at + 1] in (b" ", b"\t", b"\r", b"\n"):
        at += 1
    if at == len(array):
        raise ValueError("the array does not end")
    return at
