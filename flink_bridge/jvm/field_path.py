"""Field names as users write them, and the paths in a line that they may mean. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from producer.event_fields import places

_STEP = re.compile(r"\.([^.\[\]'\"*?()@]+)|\['([^'\\]+)'\]|\[\"([^\"\\]+)\"\]")


class FieldPathError(ValueError):
    """The text is not a path to one field; the message says what is expected."""


@dataclass(frozen=True)
class FieldPath:
    """A field of an event: `computer`, `winlog.computer_name`, or a JSON path `$['host']['name']`.

    `places`: the possible paths; the first one that has a value is used. A name with dots means nested
    objects, or one member of that name; a JSON path means one place.
    """

    text: str
    places: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return self.text


def parse_field(text: str) -> FieldPath:
    """The field of a text. A name that contains a dot can be written `$['a.b']`. Raises FieldPathError."""
    if not text.startswith("$"):
        if not all(text.split(".")) or re.search(r"['\"\\\x00-\x1f]", text):
            raise FieldPathError(f"{text!r} is not a field: expected a name, a.b, or $['a']['b']")
        return FieldPath(text, places(text))
    found, position = [], 1
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise FieldPathError(
                f"{text!r}: expected steps like .name or ['name'] after $, one field at the end"
            )
        found.append(next(group for group in step.groups() if group is not None))
        position = step.end()
    if not found:
        raise FieldPathError("'$' is the whole event: expected a field in it")
    return FieldPath(text, (tuple(found),))


def parse_fields(text: str) -> tuple[FieldPath, ...]:
    """The fields in a text, separated by commas. Raises FieldPathError."""
    return tuple(parse_field(word.strip()) for word in text.split(",") if word.strip())


def first_of(fields: Iterable[FieldPath]) -> FieldPath:
    """One field, with the name of the first and the places of all of them. Raises FieldPathError."""
    names = tuple(fields)
    if not names:
        raise FieldPathError("expected at least one field")
    found = dict.fromkeys(place for field in names for place in field.places)
    return FieldPath(names[0].text, tuple(found))
