"""The identity of an event: computer, source (channel) and record id, read from the bytes of a record. Pure.

Nearly every record has the flat shape in ASCII, so there is a fast path for it. Every other line, and every
unusual one, is parsed as JSON into an object.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from producer.event_shapes import PATHS, at, shape_of
from producer.events.line_rule import is_plain, may_be_damaged, parse_object, read_line

# (computer, source, record id, timestamp); all but the id as UTF-8 bytes.
Identity = tuple[bytes, bytes, int, bytes]
Identify = Callable[[bytes], Identity | None]

MAX_RECORD_ID = 2**63 - 1  # Windows counts records in 64 bits; a larger number is no record id

_STRING = rb'"([^"\\\x00-\x1f]*)"'
_FLAT_HEAD = re.compile(
    rb'\{"timestamp":' + _STRING + rb',"level":"[^"\\]*","source":' + _STRING + rb',"event_id":\d+'
    rb',"event_type":"[^"\\]*","record_id":([1-9][0-9]{0,17}),"computer":' + _STRING + rb"[,}]"
).match


class _FlatEvent(msgspec.Struct, gc=False):
    """Only these fields are kept; the parser checks that the others are JSON, which is faster."""

    computer: str
    source: str
    record_id: int
    timestamp: str


_decode_flat = msgspec.json.Decoder(_FlatEvent).decode


def identify_parsed(line: bytes) -> Identity | None:
    """The identity of a line that is a complete JSON object in a known shape, or else None."""
    if is_plain(line):
        try:
            flat = _decode_flat(line)
        except (msgspec.DecodeError, RecursionError):
            return identify_any(line)
        if 0 < flat.record_id <= MAX_RECORD_ID:
            return flat.computer.encode(), flat.source.encode(), flat.record_id, flat.timestamp.encode()
    return identify_any(line)


def identify_any(line: bytes) -> Identity | None:
    """The identity of a line of any shape and alphabet; this is the slow path."""
    event = parse_object(line)
    if event is None:
        return None
    shape = shape_of(event)
    if shape is None:
        return None
    paths = PATHS[shape]
    computer, source = at(event, paths["computer"]), at(event, paths["source"])
    record_id, timestamp = _record_id(at(event, paths["record_id"])), at(event, paths["timestamp"])
    if not isinstance(computer, str) or not isinstance(source, str) or record_id is None:
        return None
    if may_be_damaged(computer) and read_line(line, max_line=len(line)).reason is not None:
        return None  # half a surrogate pair in the key
    return computer.encode(), source.encode(), record_id, str(timestamp or "").encode()


def identify_damaged(line: bytes) -> Identity | None:
    """The identity of a line, even if the line is damaged after its first six fields.

    Its readers compare the whole line with a hash afterwards, and report the damage with this identity.
    """
    if identity := identify_parsed(line):
        return identity
    head = _FLAT_HEAD(line)
    if head is None:
        return None
    timestamp, source, digits, computer = head.groups()
    return computer, source, int(digits), timestamp


def _record_id(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 19:
        value = int(value)  # some Winlogbeat pipelines keep it as text
    # `type is int` leaves out true and false, which are ints to Python.
    return value if type(value) is int and 0 < value <= MAX_RECORD_ID else None
