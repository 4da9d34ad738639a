"""The rule files of a run: loaded at the start, and again after a change or on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from detection.detector import counted
from detection.matching.loading import PipelineError, load
from detection.matching.rule_files import RuleFile, RuleFilesError, read_rule_files
from detection.matching.rule_set import RuleSet

BUILT_IN = Path(__file__).resolve().parent.parent / "rules"


class RulesError(ValueError):
    """The rules cannot be used; the text says why."""


class RuleSource:
    """Folders and files of rules, and of pipelines."""

    def __init__(self, paths: Sequence[Path], pipelines: Sequence[Path] = ()) -> None:
        self._paths, self._pipelines = tuple(paths) or (BUILT_IN,), tuple(pipelines)
        self._stamps: object = None

    def load_some(self) -> RuleSet:
        """Like `load`, but also raises RulesError if every rule is refused: nothing could be found."""
        rules = self.load()
        if not rules.heads:
            reasons = "; ".join(map(str, rules.refusals[:3])) or "the files contain no rule"
            raise RulesError(f"no rule is left: {reasons}")
        return rules

    def load(self) -> RuleSet:
        """The rules, with the refusals. Raises RulesError."""
        self._stamps = self._look()
        files, pipelines = self.files()
        try:
            rules = load(files, pipelines)
        except PipelineError as error:
            names = ", ".join(map(str, self._pipelines))
            raise RulesError(f"--pipeline {names}: {error}") from error
        return counted(rules)

    def files(self) -> tuple[list[RuleFile], list[str]]:
        """The texts of rules and pipelines. Raises RulesError."""
        try:
            pipelines = [path.read_text(encoding="utf-8") for path in self._pipelines]
            return read_rule_files(self._paths), pipelines
        except (RuleFilesError, OSError, UnicodeDecodeError) as error:
            raise RulesError(str(error)) from error

    def changed(self) -> bool:
        """Whether files were added, removed or changed since the last call."""
        before, self._stamps = self._stamps, self._look()
        return before != self._stamps

    def _look(self) -> list[tuple[str, int, int]]:
        found = []
        for path in (*self._paths, *self._pipelines):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                try:
                    stat = file.stat()
                except OSError:
                    continue  # it is removed at this moment
                found.append((str(file), stat.st_mtime_ns, stat.st_size))
        return found
