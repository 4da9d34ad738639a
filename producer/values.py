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
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from producer.clock import TIME_TEXTS
from producer.hosts import HOST_VALUES, USER_VALUES
from producer.vocabulary import Tables

Drawn = str | tuple[str, ...]  # one text or a table's row; already escaped for JSON

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
    return [f"-{number}" for number in rng.choices(range(1601, 7601), k=_BATCH)]


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
    known = {"host": HOST_VALUES, "user": USER_VALUES, "time": tuple(TIME_TEXTS)}.get(scope)
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


class Draw(NamedTuple):
    """Where story.* and event.* kinds come from; those with one `name` are drawn together, as one row."""

    name: str
    source: str  # a table, or a function with its arguments
    column: str  # of the table; empty for a function


def draw_of(kind: str) -> Draw:
    plain, mark, label = kind.removesuffix("|text").partition("#")
    scope, source, *column = plain.split(".")
    return Draw(f"{scope}.{source}{mark}{label}", source, *column or [""])


def column_index(kind: str, tables: Tables) -> int:
    """Where the kind's column stands in a drawn row: after the columns come their texts in messages."""
    draw = draw_of(kind)
    columns = tables.columns(draw.source)
    return columns.index(draw.column) + (len(columns) if kind.endswith("|text") else 0)


def drawn_values(draw: Draw, tables: Tables, rng: random.Random) -> Iterator[Drawn]:
    """Endless: the rows of a table, by weight, or what a function draws (for `sid` the end of a SID)."""
    batch: Callable[[], Sequence[Drawn]]
    if draw.column:
        table = tables.tables[draw.source]
        rows = [_row(tuple(row.values()), tables) for row in table.rows]
        batch = partial(rng.choices, rows, cum_weights=table.cumulative, k=_BATCH)
    else:
        name, *arguments = draw.source.split(":")
        batch = partial(FUNCTIONS[name][1], rng, *map(int, arguments))
    return chain.from_iterable(iter(batch, None))


def _row(values: tuple[str, ...], tables: Tables) -> tuple[str, ...]:
    return tuple(map(escape, (*values, *map(tables.parameter_text, values))))
