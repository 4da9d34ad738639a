"""Builds one Python function from tests that are written in Python. Pure.

The function reads and lowers every field once. Constants are written as literals by repr() or passed as
values, so no text of a rule is ever executed. It uses exec because the function is four times as fast as a
tree of closures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from detection.matching.compiling import values
from detection.matching.rule_fields import (
    ABSENT,
    Event,
    Shape,
    full_text,
    is_system_field,
    system_field,
)


class Whole(NamedTuple):
    """An event that is parsed completely, with its EventData."""

    shape: Shape
    event: Event
    data: Event


Check = Callable[[Any, "Whole | None"], list[int]]
"""(texts, whole) -> numbers of the rules that match, in the order in which they were added.

`texts` has the text of each field of EventData in `reads`, under `attribute(name)`: ABSENT if it is missing.
"""


def attribute(field: str) -> str:
    """A valid Python name for a field of any name."""
    return "f" + field.encode(errors="surrogatepass").hex()


def _system(whole: Whole, name: str) -> str:
    return system_field(whole.shape, whole.event, name)


def _words(whole: Whole) -> str:
    return full_text(*whole)


class Function:
    """Collects tests, with their fields and constants."""

    def __init__(self) -> None:
        self._variables: dict[str, int] = {}
        self._lowered: set[str] = set()
        self._keywords = False
        self._constants: dict[str, Any] = {
            "A": ABSENT, "S": _system, "K": _words, "number": values.number,
            "in_network": values.in_network, "glob": values.glob, "time_part": values.time_part,
        }  # fmt: skip
        self._lines: list[str] = []

    @property
    def reads(self) -> set[str]:
        """The fields that it reads."""
        return set(self._variables)

    @property
    def needs_whole(self) -> bool:
        """Whether it reads more than EventData, so that it needs the whole event."""
        return self._keywords or any(map(is_system_field, self._variables))

    def number_of(self, field: str) -> int:
        return self._variables.setdefault(field, len(self._variables))

    def raw(self, field: str) -> str:
        """The variable with the text of a field."""
        return f"r{self.number_of(field)}"

    def low(self, field: str) -> str:
        """The variable with the text in lower case."""
        self._lowered.add(field)
        return f"l{self.number_of(field)}"

    def keywords(self, low: bool) -> str:
        """The variable with the text for keywords; created for the first test that needs it."""
        self._keywords = True
        raw = "(k if k is not None else (k := K(w)))"
        return f"(kl if kl is not None else (kl := {raw}.lower()))" if low else raw

    def constant(self, value: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name

    def add(self, number: int, test: str | bool) -> None:
        """Add a test: rule `number` matches if it is true."""
        if test is True:
            self._lines.append(f"h.append({number})")
        elif test is not False:
            self._lines.append(f"if {test}: h.append({number})")

    def made(self) -> Check | None:
        """The function; None if no rule can match."""
        if not self._lines:
            return None
        lines = ["h = []", *self._loads(), *self._lines, "return h"]
        source = "def check(d, w):\n" + "".join(f"    {line}\n" for line in lines)
        names = dict(self._constants)
        exec(compile(source, "<rules>", "exec"), names)  # noqa: S102 - see the docstring
        function: Check = names["check"]
        return function

    def _loads(self) -> Iterable[str]:
        if self._keywords:
            yield "k = kl = None"
        for name, number in self._variables.items():
            read = f"S(w, {name!r})" if is_system_field(name) else f"d.{attribute(name)}"
            yield f"r{number} = {read}"
            if name in self._lowered:
                yield f"l{number} = r{number}.lower()"
