"""Value kinds: what an EventData field of the catalogue is filled with.

A kind is one word; docs/EVENTS.md lists them:
  =TEXT                      always this text
  host.NAME, user.NAME       of the computer, of the person at it
  time.NAME                  made of the event's own time when it is written
  story.DRAW, event.DRAW     drawn once a story (that is what joins its events), or for every event
DRAW is TABLE.COLUMN of vocabulary.yaml or one of FUNCTIONS with arguments after colons, and `#label`
at the end keeps two draws of one kind apart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring_ascii

from producer.hosts import HOST_VALUES, USER_VALUES, Host
from producer.vocabulary import Tables

Context = dict[str, str]  # kind -> value, already escaped for JSON
Fill = Callable[[Context, Host], None]
LATE = {
    "iso": "\0i",
    "time": "\0t",
    "date": "\0d",
    "earlier": "\0e",
    "boot": "\0b",
    "filetime": "\0f",
    "seconds": "\0s",
}

_DRAW = re.compile(r"(?:story|event)\.(?P<draw>[\w.:-]+)(?:#\w+)?")
_BATCH = 256  # random.choices costs a third per row when it draws many


def _logon_id(_rng: random.Random, host: Host) -> str:
    host.next_logon_id += 0x1A3
    return f"0x{host.next_logon_id:x}"


def _process_id(rng: random.Random, _host: Host) -> str:
    return f"0x{4 * int(rng.random() * 4000 + 200):x}"


def _guid(rng: random.Random, _host: Host) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{{{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}}}"


def _address(rng: random.Random, _host: Host) -> str:
    bits = rng.getrandbits(12)
    return f"10.20.{bits >> 8}.{(bits & 255) or 1}"


def _public_address(rng: random.Random, _host: Host) -> str:
    # RFC 5737 and RFC 2544 blocks: nobody's real address ends up in a detection.
    block = ("192.0.2", "198.51.100", "203.0.113", "198.18.7")[rng.getrandbits(2)]
    return f"{block}.{int(rng.random() * 253) + 1}"


def _whole(low: str, high: str) -> Callable[[random.Random, Host], str]:
    first, span = int(low), int(high) - int(low) + 1
    return lambda rng, _host: str(first + int(rng.random() * span))


def _hexadecimal(digits: str) -> Callable[[random.Random, Host], str]:
    bits, width = int(digits) * 4, int(digits)
    return lambda rng, _host: f"{rng.getrandbits(bits):0{width}x}"


def _hexnumber(digits: str) -> Callable[[random.Random, Host], str]:
    bits = int(digits) * 4
    return lambda rng, _host: f"0x{rng.getrandbits(bits):x}"


def _thread_id(rng: random.Random, _host: Host) -> str:
    return str(4 * int(rng.random() * 2400 + 20))


def _relative_id(rng: random.Random, host: Host) -> str:
    return f"{host.domain_sid}-{int(rng.random() * 6000) + 1601}"


# name -> (number of arguments, maker)
FUNCTIONS: dict[str, tuple[int, Callable[..., Callable[[random.Random, Host], str]]]] = {
    "logon_id": (0, lambda: _logon_id),
    "pid": (0, lambda: _process_id),
    "tid": (0, lambda: _thread_id),
    "guid": (0, lambda: _guid),
    "address": (0, lambda: _address),
    "public_address": (0, lambda: _public_address),
    "sid": (0, lambda: _relative_id),
    "int": (2, _whole),
    "hex": (1, _hexadecimal),
    "hexnumber": (1, _hexnumber),
}


def escape(text: str) -> str:
    """The text as it stands between the quotes of an ASCII-only JSON string."""
    return encode_basestring_ascii(text)[1:-1]


def check_kind(kind: str, tables: Tables) -> str | None:
    """Why `kind` cannot be used, or None."""
    if kind.startswith("="):
        return None
    scope, _, name = kind.partition(".")
    known = {"host": HOST_VALUES, "user": USER_VALUES, "time": tuple(LATE)}.get(scope)
    if known is not None:
        return None if name in known else f"{kind!r}: {scope} has {', '.join(known)}"
    match = _DRAW.fullmatch(kind)
    return (
        _check_draw(match["draw"], tables) if match else f"{kind!r} is no value kind; constants start with ="
    )


def _check_draw(draw: str, tables: Tables) -> str | None:
    table, _, column = draw.partition(".")
    if column:
        columns = tables.columns(table)
        return (
            None if column in columns else f"{draw!r}: table {table} has columns {', '.join(columns) or '-'}"
        )
    name, *arguments = draw.split(":")
    if name not in FUNCTIONS:
        return f"{name!r} is no table column and none of {', '.join(FUNCTIONS)}"
    if len(arguments) != FUNCTIONS[name][0] or not all(each.isdecimal() for each in arguments):
        return f"{draw!r}: {name} takes {FUNCTIONS[name][0]} whole numbers after colons"
    return None


def make_fill(kind: str, tables: Tables, rng: random.Random) -> Fill:
    """What writes `kind` (and, of a table, the row's other columns) into a story's context."""
    if kind.endswith("|text"):
        return _parameter_text(kind, tables)
    scope, _, rest = kind.partition(".")
    draw, _, label = rest.partition("#")
    table, _, column = draw.partition(".")
    if column:
        return _row(scope, table, f"#{label}" if label else "", tables, rng)
    name, *arguments = draw.split(":")
    function = FUNCTIONS[name][1](*arguments)

    def fill(context: Context, host: Host) -> None:
        context[kind] = function(rng, host)

    return fill


def _row(scope: str, table: str, label: str, tables: Tables, rng: random.Random) -> Fill:
    rows = [
        {f"{scope}.{table}.{column}{label}": escape(text) for column, text in row.items()}
        for row in tables.tables[table].rows
    ]
    cumulative = tables.tables[table].cumulative

    def draw() -> Iterator[Context]:
        while True:
            yield from rng.choices(rows, cum_weights=cumulative, k=_BATCH)

    draws = draw()

    def fill(context: Context, _host: Host) -> None:
        context.update(next(draws))

    return fill


def _parameter_text(kind: str, tables: Tables) -> Fill:
    base = kind.removesuffix("|text")

    def fill(context: Context, _host: Host) -> None:
        context[kind] = escape(tables.parameter_text(context[base]))

    return fill
