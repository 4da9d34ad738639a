"""A YAML document whose mistakes are reported with file, line and place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import msgspec
import yaml
from yaml.constructor import ConstructorError

Entry = TypeVar("Entry")
_DEEPEST = 50  # levels; a topology has six
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


class _Loader(yaml.SafeLoader):
    """Names the line of a value that is not what YAML takes it for, such as the date 2026-13-45."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, AttributeError) as error:  # AttributeError: of `!!timestamp soon`
            kind = node.tag.rpartition(":")[2]
            problem = f"{node.value!r} is no {kind}; text needs quotes"
            raise ConstructorError(None, None, problem, node.start_mark) from error


class Document:
    """A parsed file, with the line of each key.

    `content` is what YAML makes of `text`; `origin` is what messages call the file. `choices`: the last key
    of a place -> what may stand there, for the places that have a fixed choice.
    """

    def __init__(self, text: str, origin: str, choices: Mapping[str, Sequence[str]]) -> None:
        self._origin, self._choices = origin, choices
        self._lines: dict[str, int] = {}
        try:
            for place, line in _lines(yaml.compose(text, _Loader)):
                if place in self._lines:
                    raise TopologyError(
                        f"{origin}:{line}: {place[1:]} is in line {self._lines[place]} already"
                    )
                self._lines[place] = line
            self.content = yaml.load(text, _Loader)  # noqa: S506 - a safe one
        except RecursionError as error:
            raise TopologyError(f"{origin}:1: nests too deep") from error
        except yaml.YAMLError as error:
            mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
            line = mark.line + 1 if mark else 1
            raise TopologyError(f"{origin}:{line}: not YAML: {problem or error}") from error

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


def _lines(node: yaml.Node | None, place: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """Each place of the document, written as msgspec writes it (.users.u.allow[0]), and its line."""
    if node and depth > _DEEPEST:
        problem = "nests too deep; perhaps an anchor contains itself"
        raise ConstructorError(None, None, problem, node.start_mark)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{place}.{key.value}"
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            inner = f"{place}[{index}]"
            yield inner, value.start_mark.line + 1
            yield from _lines(value, inner, depth + 1)
