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
from typing import Any

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


def _addresses(rng: random.Random) -> list[str]:
    return [f"10.20.{bits >> 8}.{(bits & 255) or 1}" for bits in rng.choices(range(1 << 12), k=_BATCH)]


def _public_addresses(rng: random.Random) -> list[str]:
    # RFC 5737 and RFC 2544 blocks: nobody's real address ends up in a detection.
    blocks = rng.choices(("192.0.2", "198.51.100", "203.0.113", "198.18.7"), k=_BATCH)
    return [
        f"{block}.{last}" for block, last in zip(blocks, rng.choices(range(1, 255), k=_BATCH), strict=True)
    ]


def _guids(rng: random.Random) -> list[str]:
    texts = [f"{rng.getrandbits(128):032x}" for _ in range(_BATCH)]
    return [f"{{{t[:8]}-{t[8:12]}-4{t[13:16]}-a{t[17:20]}-{t[20:]}}}" for t in texts]


def _process_ids(rng: random.Random) -> list[str]:
    return [hex(number) for number in rng.choices(range(800, 16800, 4), k=_BATCH)]


def _thread_ids(rng: random.Random) -> list[str]:
    return [str(number) for number in rng.choices(range(80, 9680, 4), k=_BATCH)]


def _whole(rng: random.Random, low: int, high: int) -> list[str]:
    return [str(number) for number in rng.choices(range(low, high + 1), k=_BATCH)]


def _hexadecimals(rng: random.Random, digits: int) -> list[str]:
    return [f"{rng.getrandbits(4 * digits):0{digits}x}" for _ in range(_BATCH)]


def _hexnumbers(rng: random.Random, digits: int) -> list[str]:
    return [hex(rng.getrandbits(4 * digits)) for _ in range(_BATCH)]


def _relative_ids(rng: random.Random) -> list[str]:
    return [str(number) for number in rng.choices(range(1601, 7601), k=_BATCH)]


# name -> (number of arguments, draws _BATCH values: in bulk a draw costs a third)
FUNCTIONS: dict[str, tuple[int, Callable[..., list[str]]]] = {
    "logon_id": (0, list),  # counted by the host, not drawn
    "pid": (0, _process_ids),
    "tid": (0, _thread_ids),
    "guid": (0, _guids),
    "address": (0, _addresses),
    "public_address": (0, _public_addresses),
    "sid": (0, _relative_ids),
    "int": (2, _whole),
    "hex": (1, _hexadecimals),
    "hexnumber": (1, _hexnumbers),
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


def draw_of(kind: str) -> str:
    """Kinds with the same draw are filled together: the columns of one row."""
    scope_table, dot, _column = kind.partition("#")[0].rpartition(".")
    label = kind.partition("#")[2]
    is_row = dot and "." in scope_table and not kind.endswith("|text")
    return f"{scope_table}#{label}" if is_row else kind


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
    if name == "logon_id":
        return _logon_id(kind)
    batches = FUNCTIONS[name][1]
    numbers = [int(argument) for argument in arguments]
    values = _endless(lambda: batches(rng, *numbers))
    return _relative_id(kind, values) if name == "sid" else _drawn(kind, values)


def _endless(batch: Callable[[], list[Any]]) -> Iterator[Any]:
    while True:
        yield from batch()


def _drawn(kind: str, values: Iterator[str]) -> Fill:
    def fill(context: Context, _host: Host) -> None:
        context[kind] = next(values)

    return fill


def _logon_id(kind: str) -> Fill:
    def fill(context: Context, host: Host) -> None:
        host.next_logon_id += 0x1A3
        context[kind] = hex(host.next_logon_id)

    return fill


def _relative_id(kind: str, values: Iterator[str]) -> Fill:
    def fill(context: Context, host: Host) -> None:
        context[kind] = f"{host.domain_sid}-{next(values)}"

    return fill


def _row(scope: str, table: str, label: str, tables: Tables, rng: random.Random) -> Fill:
    rows = [
        {f"{scope}.{table}.{column}{label}": escape(text) for column, text in row.items()}
        for row in tables.tables[table].rows
    ]
    cumulative = tables.tables[table].cumulative
    draws = _endless(lambda: rng.choices(rows, cum_weights=cumulative, k=_BATCH))

    def fill(context: Context, _host: Host) -> None:
        context.update(next(draws))

    return fill


def _parameter_text(kind: str, tables: Tables) -> Fill:
    base = kind.removesuffix("|text")

    def fill(context: Context, _host: Host) -> None:
        context[kind] = escape(tables.parameter_text(context[base]))

    return fill
