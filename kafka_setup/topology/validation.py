"""A YAML document whose mistakes are reported with file, line and place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import msgspec
import yaml

from toolkit.yaml_lines import YamlError, line_of, read

Entry = TypeVar("Entry")
# msgspec's words -> those of somebody who writes YAML. `_line` looks for the first.
_WORDS = {
    "Object contains unknown field": "unknown key",
    "Object missing required field": "missing key",
    "Expected": "expected",
    "object": "keys with values",
    "array": "list",
    "`": "",
}


class TopologyError(ValueError):
    """The file cannot be used; the text names file, line and place, and what is expected there."""


class Document:
    """A parsed file, with the line of each key.

    `content` is what YAML makes of `text`; `origin` is what messages call the file. `choices`: the last key
    of a place -> what may stand there, for the places that have a fixed choice.
    """

    def __init__(self, text: str, origin: str, choices: Mapping[str, Sequence[str]]) -> None:
        self._origin, self._choices = origin, choices
        try:
            documents = list(read(text))
            if len(documents) > 1:
                raise YamlError(line_of(documents[1][0]), "not YAML: expected a single document")
        except YamlError as error:
            raise TopologyError(f"{origin}:{error.line}: {error}") from error
        self.content: Any = documents[0][1] if documents else None
        self._lines = dict(_lines(documents[0][0])) if documents else {}

    def take(self, value: Any, kind: type[Entry], place: str) -> Entry:
        """`value` as a `kind`; `place` is its place in the file (.users.bridge). Raises TopologyError."""
        value = {} if value is None and place else value
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            message, _, where = str(error).partition(" - at ")
            path = where.replace("`", "").partition("$")[2]
            self.fail(place, self._in_words(message, path, value), path)

    def fail(self, place: str, message: str, path: str = "") -> NoReturn:
        """Raise TopologyError. `path` leads from the entry at `place` to the part that is wrong."""
        named = (place + path).removeprefix(".") or "the file"
        raise TopologyError(f"{self._origin}:{self._line(place, path, message)}: {named}: {message}")

    def _line(self, place: str, path: str, message: str) -> int:
        """The line of the deepest part of the path that is in the file: a missing key has no line."""
        steps = re.findall(r"\.\w+|\[\d+\]", path)
        if unknown := re.match(r"unknown key (\w+)", message):
            steps.append(f".{unknown[1]}")
        while steps and place + "".join(steps) not in self._lines:
            steps.pop()
        return self._lines.get(place + "".join(steps), 1)

    def _in_words(self, message: str, path: str, value: Any) -> str:
        for theirs, ours in _WORDS.items():
            message = message.replace(theirs, ours)
        if "key" in message.split()[:2] or "[...]" in path:
            return message
        keys = re.findall(r"\.(\w+)|\[(\d+)\]", path)
        for key, index in keys:
            value = value[key] if key else value[int(index)]
        named = [key for key, _ in keys if key]
        if message.startswith("Invalid enum value") and named:
            message = f"expected one of {', '.join(self._choices[named[-1]])}"
        return f"{value!r}, {message}"


def _lines(node: yaml.Node, place: str = "") -> Iterator[tuple[str, int]]:
    """Each place of the document, written as msgspec writes it (.users.u.allow[0]), and its line."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{place}.{key.value}"
            yield inner, line_of(key)
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            inner = f"{place}[{index}]"
            yield inner, line_of(value)
            yield from _lines(value, inner)
