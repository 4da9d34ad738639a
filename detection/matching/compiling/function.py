"""One Python function out of tests that are written as Python. Pure.

It reads every field once and lowers it once. Constants are written as literals by repr() or handed over as
values, so no text of a rule is ever run. exec is here because the function is four times as fast as a tree
of closures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from detection.matching.compiling import values
from detection.matching.event_fields import (
    ABSENT,
    Event,
    Shape,
    full_text,
    is_system_field,
    system_field,
)


class Whole(NamedTuple):
    """An event that is parsed whole, with its EventData."""

    shape: Shape
    event: Event
    data: Event


Check = Callable[[Any, "Whole | None"], list[int]]
"""(texts, whole) -> numbers of the rules that match, in the order in which they were added.

`texts` has a text for each field of the EventData that it `reads`, under `attribute(name)`: ABSENT for one
that is not there.
"""


def attribute(field: str) -> str:
    """A name that Python takes, for a field of any name."""
    return "f" + field.encode(errors="surrogatepass").hex()


def _system(whole: Whole, name: str) -> str:
    return system_field(whole.shape, whole.event, name)


def _words(whole: Whole) -> str:
    return full_text(*whole)


class Function:
    """Collects tests, and the fields and constants that they name."""

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
        """It reads more than EventData: it must be given the whole event."""
        return self._keywords or any(map(is_system_field, self._variables))

    def number_of(self, field: str) -> int:
        return self._variables.setdefault(field, len(self._variables))

    def raw(self, field: str) -> str:
        """The variable that has the text of a field."""
        return f"r{self.number_of(field)}"

    def low(self, field: str) -> str:
        """The variable that has it in lower case."""
        self._lowered.add(field)
        return f"l{self.number_of(field)}"

    def keywords(self, low: bool) -> str:
        """The text in which keywords are looked for; made when the first test asks for it."""
        self._keywords = True
        raw = "(k if k is not None else (k := K(w)))"
        return f"(kl if kl is not None else (kl := {raw}.lower()))" if low else raw

    def constant(self, value: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name

    def add(self, number: int, test: str | bool) -> None:
        """Rule `number` matches when the test holds."""
        if test is True:
            self._lines.append(f"h.append({number})")
        elif test is not False:
            self._lines.append(f"if {test}: h.append({number})")

    def made(self) -> Check | None:
        """None when no rule can match."""
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
