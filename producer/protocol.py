"""The wire protocol between win-event-producer and its clients: pure values, standard library only.

docs/PROTOCOL.md describes the protocol for people.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, cast

# Both sides notice after a minute that the other disappeared without a FIN, also without heartbeats.
KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
GRACE_SECONDS = 0.25  # how long the server waits for a request before it treats the client as plain
MAX_REQUEST_BYTES = 256  # the request line with its LF
MAX_ANSWER_BYTES = 1024  # the answer line with its LF
_MOST_DIGITS = 19  # of an offset
_MOST_LOG_ID = 128  # characters; a log id must fit into a request
MAX_LINE_BYTES = 64 * 1024  # an event with its LF; the server never sends a longer one

Status = Literal["ok", "gap", "new-log", "error"]
_STATUSES = ("ok", "gap", "new-log", "error")
Offset = int | Literal["earliest", "latest"]


class ProtocolError(ValueError):
    """The other side does not use this protocol; the message quotes what it sent."""


@dataclass(frozen=True)
class ResumeRequest:
    """The position from which a resuming client wants to continue.

    `log_id` None means "whatever log this server has"; `offset` counts bytes of the log.
    `strict` asks the server to refuse rather than continue somewhere else.
    """

    log_id: str | None
    offset: Offset
    strict: bool = False

    def encode(self) -> bytes:
        words = ["RESUME", self.log_id or "-", str(self.offset)] + (["strict"] if self.strict else [])
        return " ".join(words).encode("ascii") + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> ResumeRequest:
        """Parse one request line; raises ProtocolError for anything else."""
        if len(line) > MAX_REQUEST_BYTES:
            raise ProtocolError(f"the request is longer than {MAX_REQUEST_BYTES} bytes")
        try:
            words = line.decode("ascii").split()
        except UnicodeDecodeError:
            raise ProtocolError("the request is not ASCII") from None
        if len(words) not in (3, 4) or words[0] != "RESUME" or words[3:] not in ([], ["strict"]):
            raise ProtocolError("expected: RESUME <log-id|-> <offset|earliest|latest> [strict]")
        log_id = None if words[1] == "-" else words[1]
        return cls(log_id, _parse_offset(words[2]), bool(words[3:]))


@dataclass(frozen=True)
class ResumeAnswer:
    """The server's answer: the bytes of log `log_id` follow, from `offset`.

    `gap`: `lost_bytes` bytes between the requested offset and `offset` are no longer kept.
    `new-log`: the server has another log than the requested one (or the offset is after its end).
    `follows`: the requested log is an earlier one of the same log, so `lost_bytes` is what the client has
    not read.
    `error`: nothing follows, `reason` says why. Its `code` is one word for programs: why a strict request
    failed (`gap`, `new-log`), `bad-request`, or `busy`. Only after `busy` may another try succeed.
    """

    status: Status
    log_id: str = ""
    offset: int = 0
    lost_bytes: int = 0
    reason: str = ""
    code: str = ""
    follows: bool = False

    def encode(self) -> bytes:
        answer: dict[str, object] = {"status": self.status, "reason": self.reason, "code": self.code}
        if self.status != "error":
            answer = {
                "log_id": self.log_id,
                "offset": self.offset,
                "status": self.status,
                "lost_bytes": self.lost_bytes,
            }
            if self.follows:
                answer["follows"] = True
        return json.dumps(answer, separators=(",", ":")).encode("ascii") + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> ResumeAnswer:
        """Parse one answer line; raises ProtocolError when the peer is not a win-event-producer.

        Unknown members are ignored, because later versions may add some.
        """
        try:
            answer = json.loads(line)
            status = answer["status"]
            if status == "error":
                return cls("error", reason=_shown(answer["reason"]), code=_shown(answer.get("code", "")))
            if status not in _STATUSES:
                raise ValueError(status)
            log_id, offset, lost_bytes = answer["log_id"], answer["offset"], answer["lost_bytes"]
            if not (_is_log_id(log_id) and _is_offset(offset) and _is_offset(lost_bytes)):
                raise ValueError(status)
            follows = answer.get("follows") is True
            return cls(cast(Status, status), log_id, offset, lost_bytes, follows=follows)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            shown = line[:80].decode("ascii", "backslashreplace")
            raise ProtocolError(f"not an answer to RESUME: {shown!r}") from error


def _is_log_id(value: object) -> bool:
    """Whether the text can be used in a request."""
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_LOG_ID:
        return False
    return value.isascii() and value.isprintable() and " " not in value and value != "-"


def _is_offset(value: object) -> bool:
    return type(value) is int and 0 <= value < 10**_MOST_DIGITS


def _shown(value: object) -> str:
    """Text of the other side, made safe for every terminal."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def _parse_offset(word: str) -> Offset:
    if word == "earliest":
        return "earliest"
    if word == "latest":
        return "latest"
    # isdecimal() alone would accept digits of other scripts, but the line is ASCII.
    if word.isdecimal() and len(word) <= _MOST_DIGITS:
        return int(word)
    raise ProtocolError(f"the offset is neither a number nor earliest nor latest: {word!r}")
