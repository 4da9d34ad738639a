"""YAML whose mistakes are reported with their line, also a key that occurs twice. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from yaml.constructor import ConstructorError

_DEEPEST = 50  # levels; the deepest of our files has six
# libyaml parses in a tenth of the time; the pure Python loader gives the same nodes.
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """`line` counts from 1; the text says what is wrong there."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


class _Loader(_FAST):  # type: ignore[misc]
    """Names the line of a value that is not what YAML takes it for, such as the date 2026-13-45."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, AttributeError) as error:  # AttributeError: of `!!timestamp soon`
            kind = node.tag.rpartition(":")[2]
            problem = f"{node.value!r} is no {kind}; text needs quotes"
            raise ConstructorError(None, None, problem, node.start_mark) from error


def parse(text: str) -> yaml.Node | None:
    """The nodes of the only document, with their lines; None if the text is empty. Raises YamlError."""
    with _lines_of(text):
        node = yaml.compose(text, _FAST)
        if node is not None:
            _check(node, 0, {})
        return node


def read(text: str) -> Iterator[tuple[yaml.Node, Any]]:
    """The nodes of each document, and its value. Raises YamlError."""
    with _lines_of(text):
        loader = _Loader(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                _check(node, 0, {})
                yield node, loader.construct_document(node)
        finally:
            loader.dispose()


def line_of(node: yaml.Node) -> int:
    """The node's first line, from 1 on."""
    return int(node.start_mark.line) + 1


@contextmanager
def _lines_of(text: str) -> Iterator[None]:
    try:
        yield
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        last = len(text.splitlines())  # libyaml finds the end of the text in the line after it
        raise YamlError(min(line + 1, last), f"not YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        raise YamlError(text.count("\n", 0, error.position) + 1, f"not YAML: {error.reason}") from error
    except RecursionError as error:
        raise YamlError(1, "nests too deep") from error


def _check(node: yaml.Node, depth: int, heights: dict[int, int]) -> int:
    """The number of levels below the node. Raises YamlError for too many, and for a key that occurs twice.

    `heights`: the result for each node, because an anchor has many uses; too high while it is not known.
    """
    height = heights.get(id(node), 0)
    if depth + height > _DEEPEST:
        raise YamlError(line_of(node), "nests too deep; perhaps an anchor contains itself")
    if height or isinstance(node, yaml.ScalarNode):
        return height
    heights[id(node)] = _DEEPEST
    if isinstance(node, yaml.MappingNode):
        _each_key_once(node)
        inner = [value for _, value in node.value]
    else:
        inner = node.value
    heights[id(node)] = 1 + max((_check(each, depth + 1, heights) for each in inner), default=0)
    return heights[id(node)]


def _each_key_once(node: yaml.MappingNode) -> None:
    """The second value would silently replace the first."""
    lines: dict[str, int] = {}
    for key, _ in node.value:
        name = str(key.value)
        if name in lines and name != "<<":
            raise YamlError(line_of(key), f"'{name}' occurs twice; first in line {lines[name]}")
        lines[name] = line_of(key)
