"""Events as text: pretty, full, fields. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from rich.cells import cell_len, set_cell_size
from rich.style import Style

from consumer.events.event_view import EventView
from producer.event_shapes import PATHS
from producer.events.event_time import to_milliseconds
from toolkit.terminal_text import printable

# line, its view (None: not a JSON object) -> text with LF
Render = Callable[[bytes, "EventView | None"], bytes]
Paint = Callable[[str, Style], str]

NOT_JSON = "not JSON: "
_STYLES = {
    "Critical": Style(color="white", bgcolor="red", bold=True),
    "Error": Style(color="red", bold=True),
    "Warning": Style(color="yellow"),
    "Information": Style(color="green"),
    "Verbose": Style(dim=True),
}
_DIM = Style(dim=True)
_FAILED = Style(color="red")
_PLAIN = Style()
_TAB = 8  # Windows formats its messages for tabs of this width
_SHORT_LEVELS = {"Information": "Info"}


def raw(line: bytes, event: EventView | None) -> bytes:
    """The line unchanged."""
    return line + b"\n"


def pretty(width: int | None, paint: Paint) -> Render:
    """Time (UTC), level, source, computer, event id, account and address, first line of the message.

    A failed audit shows `Failure` instead of its level, which is Information in Windows. `width` None: not
    cut.
    """

    def render(line: bytes, event: EventView | None) -> bytes:
        if event is None:
            text = NOT_JSON + printable(line.decode("utf-8", "backslashreplace"))
            return f"{paint(_cut(text, width), _STYLES['Error'])}\n".encode()
        failed = event.failed
        word = "Failure" if failed else printable(_SHORT_LEVELS.get(event.level, event.level))
        level = f"{word[:8]:<8}"
        where = f"{printable(event.source):<11} {printable(event.computer.partition('.')[0]):<12}"
        rest = f"{where} {event.event_id:>5}  {_who(event)}{_first_line(event.message)}"
        time = f"{printable(_time_of_day(event.timestamp)):<12}"
        room = None if width is None else width - len(time) - len(level) - 2
        painted = paint(level, _STYLES["Error"] if failed else _STYLES.get(event.level, _PLAIN))
        shown = _cut(rest, room).rstrip()
        return f"{paint(time, _DIM)} {painted} {paint(shown, _FAILED) if failed else shown}\n".encode()

    return render


def _first_line(message: str) -> str:
    return printable((message.strip().splitlines() or [""])[0])


def _who(event: EventView) -> str:
    """The account and address, such as `m.ito from 203.0.113.77: `, or the parts of it that the event has."""
    account, address = printable(event.account), printable(event.address)
    who = f"{account} from {address}" if account and address else account or address
    return f"{who}: " if who else ""


def _time_of_day(timestamp: str) -> str:
    """The time in UTC, from hours to milliseconds; a text that is not a time stays unchanged."""
    if timestamp[19:20] == "." and timestamp[-1:] == "Z":
        return timestamp[11:23]
    moment = to_milliseconds(timestamp.encode())
    if moment is None:
        return timestamp[:12]
    seconds, milliseconds = divmod(moment, 1000)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


def full(paint: Paint) -> Render:
    """Every field on a separate line, the whole message last, then an empty line."""

    def render(line: bytes, event: EventView | None) -> bytes:
        if event is None:
            return f"{NOT_JSON}{printable(line.decode('utf-8', 'backslashreplace'))}\n\n".encode()
        message = ".".join(PATHS[event.shape or "flat"]["message"])
        rows = sorted(_flatten(event.event, ""), key=lambda row: row[0] == message)
        names = max((len(name) for name, _ in rows), default=0)
        indent = "\n" + " " * (names + 3)
        lines = []
        for name, value in rows:
            text = _shown(value)
            if not text.isprintable():
                text = indent.join(map(printable, text.expandtabs(_TAB).splitlines()))
            lines.append(f"{paint(printable(name).ljust(names), _DIM)} : {text}")
        return ("\n".join(lines) + "\n\n").encode()

    return render


def fields(paths: tuple[str, ...]) -> Render:
    """The named fields, separated by tabs; `-` for a missing one."""

    def render(line: bytes, event: EventView | None) -> bytes:
        if event is None:
            return f"{NOT_JSON}{printable(line.decode('utf-8', 'backslashreplace'))}\n".encode()
        values = (event.value(path) for path in paths)
        return ("\t".join(printable(_shown(value)) or "-" for value in values) + "\n").encode()

    return render


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _flatten(event: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    """Dotted path and value of each leaf."""
    for key, value in event.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{above}{key}.")
        else:
            yield above + key, value


def _cut(text: str, width: int | None) -> str:
    if width is None or cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)) + "…"
