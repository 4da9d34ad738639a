"""Compiles an event type into a template: the JSON is written and escaped once, an event only fills slots."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

from producer.event_catalogue import _PLACEHOLDER, EventType
from producer.formats import FORMATS, SLOT, text_slot
from producer.values import LATE, Context, Fill, draw_of
from producer.vocabulary import Tables

TIMESTAMP, RECORD_ID, FIRST_VALUE = 1, 3, 5  # places in a template's row
Parts = list[str]  # literal, slot name, literal, slot name, …, literal


@dataclass
class Sequence:
    """The numbered events of one channel of one computer: what EventRecordID counts."""

    computer: str
    source: str
    last: int = 0


Sequences = dict[tuple[int, str], Sequence]  # keyed by host index and channel


@dataclass(frozen=True, eq=False)
class LineTemplate:
    """What is the same for every event of a kind (at one host by one user, when those are baked in).

    A line is the concatenation of a copy of `row`, in which TIMESTAMP, RECORD_ID and, from FIRST_VALUE on,
    every second piece are filled in. Joining beats formatting: `%` looks at every character of a template.
    """

    event_type: EventType
    sequence: Sequence | None
    row: list[str]
    values: Callable[[Context], tuple[str, ...]] | None  # of a context; None when it has none
    has_times: bool  # it holds markers of time.* kinds
    story_fills: tuple[tuple[str, Fill], ...]
    event_fills: tuple[Fill, ...]


def compile_parts(
    event_type: EventType, override: dict[str, str], fmt: str, tables: Tables, labels: dict[str, str]
) -> Parts:
    """Lay out the document and split its JSON at the slots. `labels` are added when there are any."""
    kinds = {**event_type.data, **override}
    data = {name: _field(kind) for name, kind in kinds.items()}
    message = _PLACEHOLDER.sub(lambda match: _placed(kinds[match[1]], match[2], tables), event_type.message)
    document = FORMATS[fmt](event_type, data, message)
    if labels:
        document |= {"labels": labels}
    pieces = SLOT.split(json.dumps(document, separators=(",", ":")) + "\n")
    parts = [pieces[0]]
    for text, number, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        parts += [text or number, literal]
    return parts


def _field(kind: str) -> str:
    return kind[1:] if kind.startswith("=") else text_slot(kind)


def _placed(kind: str, transform: str | None, tables: Tables) -> str:
    if kind.startswith("="):
        return tables.parameter_text(kind[1:]) if transform else kind[1:]
    return text_slot(kind + (transform or ""))


def depends_on_user(parts: Parts) -> bool:
    return any(name.startswith("user.") for name in parts[1::2])


def bake(
    event_type: EventType,
    parts: Parts,
    fill_for: Callable[[str], Fill],
    sequence: Sequence | None,
    known: dict[str, str],
) -> LineTemplate:
    """Fill in the `known` values (host.* and user.*); `fill_for` knows how the other kinds are drawn."""
    head, parts = _split(_fill_known(parts, known), "late.timestamp")
    middle, parts = _split(parts, "late.record_id")
    names = parts[1::2]
    draws = {draw_of(name): name for name in reversed(_with_bases(names))}
    unique = [name for name in _with_bases(names) if draws.get(draw_of(name)) == name]
    unique = list(dict.fromkeys(unique))
    return LineTemplate(
        event_type,
        sequence,
        [head, "", middle, "", *parts],
        _getter(names),
        any("\0" in literal for literal in parts[0::2]),
        tuple((name, fill_for(name)) for name in unique if name.startswith("story.")),
        tuple(fill_for(name) for name in unique if name.startswith("event.")),
    )


def _getter(names: list[str]) -> Callable[[Context], tuple[str, ...]] | None:
    if len(names) == 1:
        return lambda context: (context[names[0]],)
    return itemgetter(*names) if names else None


def _with_bases(names: list[str]) -> list[str]:
    """A value comes before its own text form."""
    return [each for name in names for each in ((name.removesuffix("|text"), name))]


def _fill_known(parts: Parts, known: dict[str, str]) -> Parts:
    filled = [parts[0]]
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        value = LATE[name.removeprefix("time.")] if name.startswith("time.") else known.get(name)
        if value is None:
            filled += [name, literal]
        else:
            filled[-1] += value + literal
    return filled


def _split(parts: Parts, name: str) -> tuple[str, Parts]:
    if len(parts) < 2 or parts[1] != name:
        raise ValueError(f"the format puts {parts[1:2]} before {name}")
    return parts[0], parts[2:]
