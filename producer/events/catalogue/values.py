"""Value kinds: how an EventData field of the catalogue gets its value.

A kind is one word; docs/EVENTS.md lists them:
  =TEXT                      always this text
  host.NAME, user.NAME       a value of the computer, or of its user
  time.NAME                  the time of the event itself
  story.DRAW, event.DRAW     drawn once per story (so its events share it), or once per event
DRAW is TABLE.COLUMN of vocabulary.yaml or one of FUNCTIONS with arguments after colons, and `#label`
at the end keeps two draws of one kind apart.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from producer.events.catalogue.vocabulary import Tables
from producer.events.clock import TIME_TEXTS
from producer.events.hosts import HOST_VALUES, USER_VALUES

Drawn = str | tuple[str, ...]  # one text or a table's row; already escaped for JSON

_DRAW = re.compile(r"(?:story|event)\.(?P<draw>[\w.:-]+)(?:#\w+)?")
_BATCH = 256  # values drawn at a time: in bulk, each takes a third of the time
_WORDS = struct.Struct(f"<{_BATCH}H")
_THREAD_IDS = [str(number) for number in range(80, 9680, 4)]
_PROCESS_IDS = [hex(number) for number in range(800, 16800, 4)]
_ADDRESSES = [f"10.20.{network}.{last or 1}" for network in range(16) for last in range(256)]
# RFC 5737 and RFC 2544 blocks: no real address can appear in a detection.
_PUBLIC_BLOCKS = ("192.0.2", "198.51.100", "203.0.113", "198.18.7")
_PUBLIC_ADDRESSES = [f"{block}.{last}" for block in _PUBLIC_BLOCKS for last in range(1, 255)]
_RELATIVE_IDS = [f"-{number}" for number in range(1601, 7601)]


def _chosen(rng: random.Random, texts: list[str]) -> list[str]:
    """Draws from a few thousand texts.

    16 random bits each are uniform enough, and faster than rng.choices().
    """
    size = len(texts)
    return [texts[bits * size >> 16] for bits in _WORDS.unpack(rng.randbytes(_WORDS.size))]


def _patterned(rng: random.Random, pattern: str) -> list[str]:
    """Copies of `pattern` with a random hexadecimal digit for every #."""
    places = [place for place, mark in enumerate(pattern) if mark == "#"]
    digits = rng.randbytes(len(places) * _BATCH // 2).hex().encode("ascii")
    width, filled = len(pattern), bytearray(pattern.encode("ascii") * _BATCH)
    for number, place in enumerate(places):
        filled[place::width] = digits[number * _BATCH : (number + 1) * _BATCH]
    text = filled.decode("ascii")
    return [text[begin : begin + width] for begin in range(0, len(text), width)]


def _guids(rng: random.Random) -> list[str]:
    return _patterned(rng, "{########-####-4###-a###-############}")


def _whole(rng: random.Random, low: int, high: int) -> list[str]:
    return [f"{number}" for number in rng.choices(range(low, high + 1), k=_BATCH)]


def _hexadecimals(rng: random.Random, digits: int) -> list[str]:
    return _patterned(rng, "#" * digits)


def _hexnumbers(rng: random.Random, digits: int) -> list[str]:
    return [hex(rng.getrandbits(4 * digits)) for _ in range(_BATCH)]


# name -> (number of arguments, draws _BATCH values)
FUNCTIONS: dict[str, tuple[int, Callable[..., list[str]]]] = {
    "logon_id": (0, list),  # counted by the host, not drawn
    "pid": (0, partial(_chosen, texts=_PROCESS_IDS)),
    "tid": (0, partial(_chosen, texts=_THREAD_IDS)),
    "guid": (0, _guids),
    "address": (0, partial(_chosen, texts=_ADDRESSES)),
    "public_address": (0, partial(_chosen, texts=_PUBLIC_ADDRESSES)),
    "sid": (0, partial(_chosen, texts=_RELATIVE_IDS)),
    "int": (2, _whole),
    "hex": (1, _hexadecimals),
    "hexnumber": (1, _hexnumbers),
}


def escape(text: str) -> str:
    """The text, escaped for an ASCII-only JSON string, without the quotes."""
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
        _check_draw(match["draw"], tables)
        if match
        else f"{kind!r} is not a value kind; constants start with ="
    )


def check_text(kind: str) -> str | None:
    """Why `{Field|text}` cannot be used for a field of this kind, or None."""
    if kind.startswith("=") or (_DRAW.fullmatch(kind) and draw_of(kind).column):
        return None
    return f"{kind!r} is no %%-number, so it has no text: |text goes with =TEXT and with columns of tables"


def _check_draw(draw: str, tables: Tables) -> str | None:
    table, _, column = draw.partition(".")
    if column:
        columns = tables.columns(table)
        return (
            None if column in columns else f"{draw!r}: table {table} has columns {', '.join(columns) or '-'}"
        )
    name, *arguments = draw.split(":")
    if name not in FUNCTIONS:
        return f"{name!r} is not a table column and not one of {', '.join(FUNCTIONS)}"
    if len(arguments) != FUNCTIONS[name][0] or not all(each.isdecimal() for each in arguments):
        return f"{draw!r}: {name} takes {FUNCTIONS[name][0]} whole numbers after colons"
    return None


class Draw(NamedTuple):
    """How story.* and event.* kinds are drawn; those with the same `name` are drawn together, as one row."""

    name: str
    source: str  # a table, or a function with its arguments
    column: str  # of the table; empty for a function


def draw_of(kind: str) -> Draw:
    plain, mark, label = kind.removesuffix("|text").partition("#")
    scope, source, *column = plain.split(".")
    return Draw(f"{scope}.{source}{mark}{label}", source, *column or [""])


def column_index(kind: str, tables: Tables) -> int:
    """The index of the kind's column in a drawn row; the texts for messages come after all columns."""
    draw = draw_of(kind)
    columns = tables.columns(draw.source)
    return columns.index(draw.column) + (len(columns) if kind.endswith("|text") else 0)


def drawn_values(draw: Draw, tables: Tables, rng: random.Random) -> Iterator[Drawn]:
    """Endless draws: rows of a table, by weight, or values of a function (for `sid`, the end of a SID)."""
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
