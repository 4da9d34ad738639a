"""Reads one catalogue file (YAML) and remembers the line of every key, for clear error messages."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from toolkit.yaml_lines import YamlError, line_of, parse


class CatalogueError(ValueError):
    """A catalogue file that cannot be used; the text names file, line and field."""


class Section(dict[str, Any]):
    """A mapping of a catalogue file; `fail` and the typed getters know the line of each field."""

    def __init__(self, file: Path, line: int) -> None:
        super().__init__()
        self.file = file
        self.line = line
        self.lines: dict[str, int] = {}

    def fail(self, field: str, why: str) -> CatalogueError:
        return CatalogueError(f"{self.file}:{self.lines.get(field, self.line)}: {field}: {why}")

    def allow(self, *fields: str) -> None:
        """Refuse misspelt fields, which would otherwise be ignored silently."""
        for field in self:
            if field not in fields:
                raise self.fail(field, f"unknown field; known: {', '.join(fields)}")

    def text(self, field: str, default: str | None = None) -> str:
        value = self.get(field, default)
        if value is None:
            raise self.fail(field, "is missing")
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise self.fail(field, f"expected text, found {value!r}")
        return str(value)

    def integer(self, field: str, default: int | None = None, lowest: int = 0, highest: int = 2**64) -> int:
        value = self.get(field, default)
        if value is None:
            raise self.fail(field, "is missing")
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self.fail(field, f"expected a whole number {lowest}..{highest}, found {value!r}")
        return value

    def number(self, field: str, default: float, lowest: float, highest: float) -> float:
        value = self.get(field, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not lowest <= value <= highest:
            raise self.fail(field, f"expected a number {lowest}..{highest}, found {value!r}")
        return float(value)

    def section(self, field: str) -> Section:
        value = self.get(field)
        if value is None:
            return Section(self.file, self.line)
        if not isinstance(value, Section):
            raise self.fail(field, f"expected a mapping, found {value!r}")
        return value

    def sections(self, field: str) -> list[Section]:
        value = self.get(field, [])
        if not isinstance(value, list) or not all(isinstance(each, Section) for each in value):
            raise self.fail(field, "expected a list of mappings")
        return value

    def weights(self, field: str, profiles: Iterable[str]) -> dict[str, float]:
        """One number for all profiles, or a mapping from profile to number; a missing profile means 0."""
        value = self.get(field, 0)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return dict.fromkeys(profiles, self.number(field, 0, 0, 1e6))
        section = self.section(field)
        section.allow(*profiles)
        return {profile: section.number(profile, 0, 0, 1e6) for profile in profiles}


def read_catalogue_file(file: Path) -> Section:
    """Parse `file`, whose top level must be a mapping; raises CatalogueError."""
    node = _nodes(file)
    if not isinstance(node, yaml.MappingNode):
        raise CatalogueError(f"{file}:1: expected a mapping at the top level")
    section = _value(node, file)
    assert isinstance(section, Section)  # noqa: S101 - narrowed above
    return section


def _nodes(file: Path) -> yaml.Node | None:
    content = b""
    try:
        content = file.read_bytes()
        return parse(content.decode("utf-8"))
    except OSError as error:
        raise CatalogueError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogueError(f"{file}:{line}: not UTF-8: byte 0x{content[error.start]:02x}") from error
    except YamlError as error:
        raise CatalogueError(f"{file}:{error.line}: {error}") from error


def _value(node: yaml.Node, file: Path) -> Any:
    if isinstance(node, yaml.MappingNode):
        section = Section(file, line_of(node))
        for key_node, value_node in node.value:
            key = str(key_node.value)
            section.lines[key] = line_of(key_node)
            section[key] = _value(value_node, file)
        return section
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, file) for each in node.value]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if node.tag == "tag:yaml.org,2002:null":
        return None
    with suppress(ValueError):  # YAML's 12:30, 010 and .inf are text here; so a field of numbers refuses them
        if node.tag == "tag:yaml.org,2002:int":
            return int(text, 0)
        if node.tag == "tag:yaml.org,2002:float":
            return float(text)
    return text  # also booleans: a data value "True" is text to Windows
