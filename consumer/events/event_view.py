"""One event of any shape, prepared for display. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from producer.event_shapes import PATHS, at, shape_of
from producer.events.any_shape import ANYWHERE, data_field, field_text, level_of
from producer.events.line_rule import first_of, may_be_damaged, parse_object, read_line

_AUDIT_SUCCESS, _AUDIT_FAILURE = "Audit Success", "Audit Failure"
_FAILURE_BIT, _SUCCESS_BIT = 1 << 52, 1 << 53  # of the 64 keywords of a Windows event
_FAILED_LOGONS = (4625, 4771)
_ACCOUNTS = ("TargetUserName", "SubjectUserName", "AccountName")
_ADDRESSES = ("IpAddress", "SourceAddress", "ClientAddress")


class EventView(NamedTuple):
    """The fields that filters and the short form need; a missing text is empty, a missing id is 0."""

    event: dict[str, Any]
    timestamp: str
    level: str
    source: str
    computer: str
    event_id: int
    record_id: int
    message: str
    shape: str | None

    def value(self, path: str) -> Any:
        """A field by its common name (level, event_id, account, …) or by its dotted path in the line."""
        if path in _COMMON:
            return getattr(self, path)
        return at(self.event, tuple(path.split(".")))

    @property
    def event_type(self) -> str:
        """Audit Success or Audit Failure; for an event that is not an audit, its level."""
        path = PATHS[self.shape].get("outcome") if self.shape else None
        value = at(self.event, path) if path else None
        return _outcome(first_of(self.event, ANYWHERE["outcome"]) if value is None else value) or self.level

    @property
    def account(self) -> str:
        """The account that the event is about; empty if it names none."""
        return data_field(self.event, _ACCOUNTS, self.event_id)

    @property
    def address(self) -> str:
        """The network address in the event; empty if it names none."""
        return data_field(self.event, _ADDRESSES, self.event_id)

    @property
    def failed(self) -> bool:
        """Whether it is a refused logon or any other audit failure."""
        return self.event_id in _FAILED_LOGONS or self.event_type == _AUDIT_FAILURE


_COMMON = (
    "timestamp", "level", "source", "computer", "event_id", "record_id", "message", "event_type", "account",
    "address",
)  # fmt: skip


def view(line: bytes) -> EventView | None:
    """The view of a line; None if it is not a JSON object."""
    event = parse_object(line)
    if event is None:
        return None
    shape = shape_of(event)
    computer = field_text(event, shape, "computer")
    if may_be_damaged(computer) and read_line(line, max_line=len(line)).reason == "not-json":
        return None
    return EventView(
        event,
        field_text(event, shape, "timestamp"),
        level_of(event, shape),
        field_text(event, shape, "source"),
        computer,
        _number(field_text(event, shape, "event_id")),
        _number(field_text(event, shape, "record_id")),
        field_text(event, shape, "message"),
        shape,
    )


def _outcome(value: Any) -> str:
    """The audit outcome, from words (`Audit Failure`, `failure`), a list of them, or the keywords in hex."""
    if isinstance(value, list):
        return next(filter(None, map(_outcome, value)), "")
    return _outcome_of(str(value or "").lower())


@lru_cache(maxsize=256)  # a stream has a handful of these words, and each event has one
def _outcome_of(text: str) -> str:
    if text.startswith("0x"):
        try:
            bits = int(text, 16)
        except ValueError:
            return ""
        return _AUDIT_FAILURE if bits & _FAILURE_BIT else _AUDIT_SUCCESS if bits & _SUCCESS_BIT else ""
    # "Audit Failure", AUDIT_FAILURE, FailureAudit or failure
    return {"failure": _AUDIT_FAILURE, "success": _AUDIT_SUCCESS}.get(re.sub("audit|[_ ]", "", text), "")


def _number(text: str) -> int:
    return int(text[:19]) if text.isascii() and text.isdecimal() else 0
