"""Compiles an event type into a function that writes its lines: the JSON is built and escaped once.

The function is a single f-string over a few look-ups. One serves all computers and people: so the few
functions stay in the processor's cache. One for each computer and person would cost more than the look-ups
that it saves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from producer.events.catalogue.event_catalogue import PLACEHOLDER, EventType
from producer.events.catalogue.values import Draw, Drawn, column_index, draw_of
from producer.events.catalogue.vocabulary import Tables
from producer.events.clock import TIME_TEXTS
from producer.events.formats import FORMATS, SLOT, text_slot
from producer.events.hosts import HOST_VALUES, USER_VALUES, Host, User

Parts = list[str]  # literal, slot name, literal, slot name, …, literal
StoryValues = dict[str, Any]  # values that the events of one story share: draw name -> value
_SIGNATURE = "def write(timestamp, record_id, ticks, host, user, story):"
Write = Callable[[str, int, int, Host, User, StoryValues], str]


@dataclass(frozen=True, eq=False)
class LineTemplate:
    """The parts that every event of a step shares; `write` returns a line with its LF."""

    event_type: EventType
    channel: str
    write: Write


def compile_parts(
    event_type: EventType, override: dict[str, str], fmt: str, tables: Tables, labels: dict[str, str]
) -> Parts:
    """Build the document and split its JSON at the slots; add the `labels`, if any."""
    kinds = {**event_type.data, **override}
    data = {name: _field(kind) for name, kind in kinds.items()}
    message = PLACEHOLDER.sub(lambda match: _placed(kinds[match[1]], match[2], tables), event_type.message)
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


def fill_known(parts: Parts, known: Mapping[str, str]) -> Parts:
    """Write the `known` values into the literals."""
    filled = [parts[0]]
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        if name in known:
            filled[-1] += known[name] + literal
        else:
            filled += [name, literal]
    return filled


def compile_line(parts: Parts, values_of: Callable[[Draw], Iterator[Drawn]], tables: Tables) -> Write:
    """Compile the function that writes the lines.

    `values_of` returns the next drawn values; kinds that are drawn together share one draw.
    """
    slots = {kind: f"slot{number}" for number, kind in enumerate(dict.fromkeys(parts[1::2]))}
    names: dict[str, Any] = {f"time_{name}": text for name, text in TIME_TEXTS.items()}
    drawn: dict[str, str] = {}  # draw name -> local variable
    body = ["host_texts, user_texts = host.escaped, user.escaped"]
    for kind, slot in slots.items():
        if not kind.startswith(("story.", "event.")):
            body.append(f"{slot} = {_look_up(kind)}")
            continue
        draw = draw_of(kind)
        if draw.name not in drawn:
            drawn[draw.name] = f"drawn{len(drawn)}"
            names[f"{drawn[draw.name]}_values"] = values_of(draw)
            body += _draw(draw, drawn[draw.name])
        column = f"[{column_index(kind, tables)}]" if draw.column else ""
        body.append(f"{slot} = {drawn[draw.name]}{column}")
    line = " ".join(f"f'{{{slots[part]}}}'" if index % 2 else repr(part) for index, part in enumerate(parts))
    source = "\n    ".join((_SIGNATURE, *body, f"return {line}"))
    exec(source, names)  # noqa: S102 - every name in it is ours, every text of the catalogue is quoted by repr
    write: Write = names["write"]
    return write


def _look_up(kind: str) -> str:
    scope, _, name = kind.partition(".")
    if scope == "host":
        return f"host_texts[{HOST_VALUES.index(name)}]"
    if scope == "user":
        return f"user_texts[{USER_VALUES.index(name)}]"
    return {"late": name, "label": f"story[{kind!r}]", "time": f"time_{name}(ticks)"}[scope]


def _draw(draw: Draw, variable: str) -> list[str]:
    """Statements that set `variable` to a new draw, or to the draw of the story for story.* kinds."""
    take = f"next({variable}_values)"
    if draw.source == "logon_id":
        take = "next(host.logon_ids)"
    elif draw.source == "sid":
        take = f"host.domain_sid + {take}"
    if draw.name.startswith("event."):
        return [f"{variable} = {take}"]
    key = repr(draw.name)
    return [
        f"if {key} in story: {variable} = story[{key}]",
        f"else: {variable} = story[{key}] = {take}",
    ]
