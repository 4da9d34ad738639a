"""Rule files as YAML documents, each with its first line. The only module here that reads files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.yaml_lines import YamlError, line_of, read

RULE_LEVELS = ("informational", "low", "medium", "high", "critical")
"""The levels of rules, here because options need them without pySigma, whose import takes a second."""

_AFTER_WORDS = ("logsource:", "detection:", "correlation:", "filter:")  # what is before them is for people
_SUFFIXES = (".yml", ".yaml")


class RuleFilesError(ValueError):
    """A file or folder does not exist, or has no rule."""


@dataclass(frozen=True)
class Refusal:
    """The reason why a rule, a filter or a correlation is not used, with its place."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(frozen=True)
class RuleFile:
    """A file with its text; invalid UTF-8 is read as U+FFFD, which YAML may refuse."""

    path: str
    text: str


@dataclass(frozen=True)
class Document:
    """One YAML document: `content` is a mapping. `line` counts from 1."""

    path: str
    line: int
    text: str
    content: dict[str, Any]

    def refuse(self, reason: str) -> Refusal:
        return refusal(self.path, self.line, self.text, reason)


def refusal(path: str, line: int, text: str, reason: str) -> Refusal:
    """Refuse a document, at the line with the text quoted in the reason, or else at its first line."""
    return Refusal(path, line + _line_of(text, reason), reason)


def read_rule_files(paths: Iterable[Path]) -> list[RuleFile]:
    """Every .yml and .yaml file under the folders, and the files, in the order of their names."""
    files: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise RuleFilesError(f"{path}: there is no such file or folder")
        found = (
            sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES) if path.is_dir() else [path]
        )
        if not found:
            raise RuleFilesError(f"{path}: there is no .yml file in this folder")
        files |= dict.fromkeys(found)
    return [RuleFile(str(path), path.read_text(encoding="utf-8", errors="replace")) for path in files]


def documents(file: RuleFile) -> Iterator[Document | Refusal]:
    """The documents of one file; text that is no YAML or no mapping is refused."""
    try:
        pairs = list(read(file.text))
    except YamlError as error:
        yield Refusal(file.path, error.line, str(error))
        return
    lines = file.text.splitlines()
    for node, content in pairs:
        if content is None:
            continue
        line = node.start_mark.line
        if not isinstance(content, dict):
            yield Refusal(file.path, line_of(node), "a rule is a mapping (title, logsource, detection)")
            continue
        text = "\n".join(lines[line : node.end_mark.line + (node.end_mark.column > 0)])
        yield Document(file.path, line_of(node), text, content)


def _line_of(text: str, reason: str) -> int:
    """The first line with one of the words that are quoted in the reason; rather not in the title."""
    quoted = [word for word in reason.replace('"', "'").split("'")[1::2] if word.strip()]
    found = [number for number, line in enumerate(text.splitlines()) if any(word in line for word in quoted)]
    rest = next((at for at, line in enumerate(text.splitlines()) if line.startswith(_AFTER_WORDS)), 0)
    return next((number for number in found if number >= rest), found[0] if found else 0)
