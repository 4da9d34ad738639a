"""A question: the text of a file of queries/, its parameters, and its statements. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PARAMETER = re.compile(r"^-- (\w+) = (\d+) \[(\d+)\.\.(\d+)\] (.+)$", re.MULTILINE)
_MARK = re.compile(r"\d+(?P<quote>'?) /\* (?P<name>\w+)(?: - (?P<less>\d+))? \*/")
INSERT = re.compile(r"(?:/\*.*?\*/\s*)*INSERT\s+INTO\s+(`?)(?P<table>\w+)\1", re.IGNORECASE | re.DOTALL)
"""The beginning of a statement that writes to a table."""
_OWN_TABLE = re.compile(
    r"^CREATE (?:TEMPORARY )?TABLE (?:IF NOT EXISTS )?`?(\w+)", re.MULTILINE | re.IGNORECASE
)
# Quoted text, in which two hyphens mean nothing, or a comment up to the end of its line.
_COMMENT = re.compile(r"'[^']*'|`[^`]*`|(?P<comment>--[^\n]*)")


class QuestionError(ValueError):
    """A question, a parameter or a file cannot be used; the text says which one and what would work."""


@dataclass(frozen=True)
class Parameter:
    """A whole number that a person may choose, from `low` to `high`."""

    name: str
    default: int
    low: int
    high: int
    about: str

    def checked(self, text: str) -> int:
        """Raises QuestionError."""
        if text.isascii() and text.isdecimal() and self.low <= int(text) <= self.high:
            return int(text)
        raise QuestionError(
            f"{self.name}={text}: expected a whole number from {self.low} to {self.high} ({self.about})"
        )


@dataclass(frozen=True)
class Question:
    """A question in SQL. Its `text` can be run unchanged: it contains the default values."""

    name: str
    text: str

    @property
    def title(self) -> str:
        """The question itself: the first comment."""
        return self.text.partition("\n--\n")[0].replace("\n-- ", " ").removeprefix("-- ")

    @property
    def parameters(self) -> dict[str, Parameter]:
        found = [
            Parameter(name, int(default), int(low), int(high), about)
            for name, default, low, high, about in _PARAMETER.findall(self.text)
        ]
        return {parameter.name: parameter for parameter in found}

    @property
    def results(self) -> tuple[str, ...]:
        """The tables that it writes, without those that it creates itself."""
        own = _OWN_TABLE.findall(self.text)
        return tuple(name for name in self.writes if name not in own)

    @property
    def writes(self) -> tuple[str, ...]:
        """All tables that it writes."""
        found = map(INSERT.match, split_statements(self.text))
        return tuple(dict.fromkeys(match["table"] for match in found if match))

    def mentions(self, name: str) -> bool:
        """Whether a table or a column of this name may be part of the question; comments do not count."""
        return re.search(rf"\b{re.escape(name)}\b", _without_comments(self.text)) is not None

    def reads(self, table: str) -> bool:
        """Whether it may read this table; a column of the same name does not count."""
        text = _without_comments(self.text)
        pattern = rf"\b(FROM|JOIN|TABLE)\s+([\w`]+(\s+\w+){{0,2}}\s*,\s*)*`?{re.escape(table)}\b"
        return re.search(pattern, text, re.IGNORECASE) is not None

    def statements(self, values: Mapping[str, str]) -> list[str]:
        """Its statements, in order, with these values of its parameters. Raises QuestionError."""
        parameters = self.parameters
        chosen = {name: parameters[name].checked(text) for name, text in values.items()}

        def fill(mark: re.Match[str]) -> str:
            if mark["name"] not in parameters:
                raise QuestionError(
                    f"{self.name}.sql marks {mark['name']!r}, which its head does not describe"
                )
            value = chosen.get(mark["name"], parameters[mark["name"]].default) - int(mark["less"] or 0)
            return f"{value}{mark['quote']}"

        return split_statements(_MARK.sub(fill, self.text))


def split_statements(text: str) -> list[str]:
    """Statements end with a semicolon at the end of a line; comments from -- on are left out."""
    parts = re.split(r";[ \t]*(?:\n|$)", _without_comments(text))
    return [part.strip() for part in parts if part.strip()]


def _without_comments(text: str) -> str:
    return _COMMENT.sub(lambda found: "" if found["comment"] else found[0], text)


def share_out(questions: tuple[Question, ...], settings: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The values for each question: NAME=VALUE for all that have NAME, QUESTION.NAME for one.

    Raises QuestionError for a name that no question has, and for a value out of range.
    """
    shared: dict[str, dict[str, str]] = {question.name: {} for question in questions}
    # The more precise one has priority, in any order.
    for key in sorted(settings, key=lambda key: "." in key):
        only, _, name = key.rpartition(".")
        takers = [q for q in questions if only in ("", q.name) and name in q.parameters]
        if not takers:
            known = sorted({name for question in questions for name in question.parameters})
            raise QuestionError(
                f"--set {key}: no such parameter here; there are: {', '.join(known) or 'none'}"
            )
        for question in takers:
            question.parameters[name].checked(settings[key])
            shared[question.name][name] = settings[key]
    return shared
