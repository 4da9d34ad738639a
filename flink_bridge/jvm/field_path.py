"""Names of fields as users write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STEP = re.compile(r"\.([^.\[\]'\"*?()@]+)|\['([^'\\]+)'\]|\[\"([^\"\\]+)\"\]")


class FieldPathError(ValueError):
    """Not a path to one field; the text says what is expected."""


@dataclass(frozen=True)
class FieldPath:
    """A field of an event: `computer`, nested `winlog.computer_name`, or a JSON path `$['host']['name']`."""

    text: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return self.text


def parse_field(text: str) -> FieldPath:
    """Dots lead into objects; a name that holds a dot itself is written `$['a.b']`. Raises FieldPathError."""
    if not text.startswith("$"):
        steps = tuple(text.split("."))
        if not all(steps) or re.search(r"['\"\\\x00-\x1f]", text):
            raise FieldPathError(f"{text!r} is no field: expected a name, a.b, or $['a']['b']")
        return FieldPath(text, steps)
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
    return FieldPath(text, tuple(found))


def parse_fields(text: str) -> tuple[FieldPath, ...]:
    """Fields separated by commas."""
    return tuple(parse_field(word.strip()) for word in text.split(",") if word.strip())
