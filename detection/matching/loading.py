"""Reads rules, filters and correlations with pySigma; unusable ones are refused, with their place. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from detection.matching.compiling.conditions import Compiler
from detection.matching.compiling.regular_expressions import POLICY
from detection.matching.compiling.strings import NotSupportedError
from detection.matching.event_ids import channels, event_ids
from detection.matching.log_sources import LogSourceError, Source, sources_of
from detection.matching.rule_files import Document, Refusal, RuleFile, documents
from detection.matching.rule_set import CorrelationRule, Head, Rule, RuleSet

_REFUSED = (SigmaError, LogSourceError, NotSupportedError, RecursionError)
# pySigma checks much of a file only by using it: a value of the wrong type raises one of these.
_WRONG_TYPES = (ValueError, TypeError, AttributeError, KeyError, IndexError, NotImplementedError)


class PipelineError(ValueError):
    """A --pipeline that pySigma cannot read."""


def load(files: Iterable[RuleFile], pipelines: Sequence[str] = ()) -> RuleSet:
    """Load the rules of these files. Raises PipelineError.

    `pipelines`: texts of pySigma's processing pipelines, which are applied in this order.
    """
    loading = _Loading(pipelines)
    parsed = loading.parse(files)
    loading.narrow(parsed)
    for each in parsed:
        if isinstance(each, SigmaRule):
            loading.take_rule(each)
    loading.take_correlations([each for each in parsed if isinstance(each, SigmaCorrelationRule)])
    return loading.rule_set()


def _pipeline(text: str) -> ProcessingPipeline:
    try:
        if not isinstance(yaml.safe_load(text), dict):
            raise PipelineError("a pipeline is a mapping (name, priority, transformations)")
        pipeline: ProcessingPipeline = ProcessingPipeline.from_yaml(text)
    except PipelineError:
        raise
    except Exception as error:  # a file of the user: errors of YAML and Sigma, and Python's for wrong types
        raise PipelineError(str(error)) from error
    return pipeline


class _Loading:
    """One run over all files. A refusal names the place of the document."""

    def __init__(self, pipelines: Sequence[str]) -> None:
        self._pipelines = [_pipeline(text) for text in pipelines]
        self._texts = list(pipelines)
        self._content: dict[int, dict[str, Any]] = {}  # with the common parts of the file
        self._filters: dict[int, list[Any]] = {}  # of a rule
        self._refusals: list[Refusal] = []
        self._documents: dict[int, Document] = {}
        self._taken: dict[str, Rule | CorrelationRule] = {}
        self._names: dict[str, str] = {}  # id, name or title -> key

    def parse(self, files: Iterable[RuleFile]) -> list[Any]:
        """Parse everything that pySigma understands; each id once."""
        found: dict[str, Any] = {}
        for document, content in self._contents(files):
            each = self._sigma(document, content)
            if each is None:
                continue
            key = _key(each)
            if key in found:
                other = self._documents[id(found[key])]
                self._refuse(each, f"'{key}' is in {other.path}:{other.line} already")
            else:
                found[key] = each
        return list(found.values())

    def narrow(self, parsed: list[Any]) -> None:
        """Apply filters, which add to the conditions of the rules that they name."""
        rules = [each for each in parsed if isinstance(each, SigmaRule)]
        names = {name for rule in rules for name in _called(rule)}
        for filter_ in (each for each in parsed if isinstance(each, SigmaFilter)):
            wanted = filter_.filter.rules if isinstance(filter_.filter.rules, list) else []
            missing = [each.reference for each in wanted if each.reference not in names]
            if missing:
                self._refuse(filter_, f"filters rule '{missing[0]}', which does not exist")
                continue
            before = [list(rule.detection.condition) for rule in rules]
            try:
                for rule in rules:
                    filter_.apply_on_rule(rule)
                    if not wanted or any(each.reference in _called(rule) for each in wanted):
                        self._filters.setdefault(id(rule), []).append(self._content[id(filter_)])
            except _REFUSED as error:
                self._refuse(filter_, _words(error))
                continue
            if wanted and before == [rule.detection.condition for rule in rules]:
                self._refuse(filter_, "has no effect: its logsource is not that of the rules that it names")

    def take_rule(self, rule: SigmaRule) -> None:
        try:
            sources = sources_of(rule.logsource)
            for pipeline in self._pipelines:
                pipeline.apply(rule)
            trees = tuple(condition.parsed for condition in rule.detection.parsed_condition)
            for tree in trees:
                if tree is None:
                    raise NotSupportedError("the condition is empty")
                Compiler().add(0, tree)
        except (*_REFUSED, *_WRONG_TYPES) as error:
            self._refuse(rule, _words(error))
            return
        if not self._has_name_of_another(rule):
            self._take(rule, Rule(self._head(rule), trees, _narrowed(sources, trees)))

    def take_correlations(self, waiting: list[SigmaCorrelationRule]) -> None:
        """Take correlations, repeatedly, so that each comes after those it refers to; the rest is refused."""
        while waiting:
            left = [each for each in waiting if not self._take_correlation(each)]
            if len(left) == len(waiting):
                break
            waiting = left
        called = {name for each in waiting for name in _called(each)}
        for each in waiting:
            missing = next(name for name in _references(each) if name not in self._names)
            why = (
                "which refers back to it, or is refused"
                if missing in called
                else "which does not exist, or is refused"
            )
            self._refuse(each, f"refers to rule '{missing}', {why}")

    def rule_set(self) -> RuleSet:
        return RuleSet(
            tuple(each for each in self._taken.values() if isinstance(each, Rule)),
            tuple(each for each in self._taken.values() if isinstance(each, CorrelationRule)),
            tuple(self._refusals),
        ).silenced()

    def _contents(self, files: Iterable[RuleFile]) -> Iterator[tuple[Document, dict[str, Any]]]:
        """The content of each rule, with the common parts from `action: global` of its file."""
        for file in files:
            shared: dict[str, Any] = {}
            last: dict[str, Any] = {}
            for document in documents(file):
                if isinstance(document, Refusal):
                    self._refusals.append(document)
                    continue
                content = dict(document.content)
                action = content.pop("action", None)
                if action == "global":
                    shared = last = content
                elif action == "reset":
                    shared = {}
                elif action in (None, "repeat"):
                    single = "correlation" in content or "filter" in content
                    last = content if single else _merged(last if action else shared, content)
                    yield document, last
                else:
                    self._refusals.append(document.refuse(f"unknown action '{action}'"))

    def _sigma(self, document: Document, content: dict[str, Any]) -> Any:
        """pySigma's value, or None if the document is refused."""
        kind: Any = SigmaCorrelationRule if "correlation" in content else SigmaRule
        kind = SigmaFilter if "filter" in content else kind
        try:
            each = kind.from_dict(copy.deepcopy(content), collect_errors=True, **POLICY)
        except (*_REFUSED, *_WRONG_TYPES) as error:
            self._refusals.append(document.refuse(_words(error)))
            return None
        if each.errors:
            reasons = dict.fromkeys(map(_words, each.errors))
            self._refusals += [document.refuse(reason) for reason in reasons]
            return None
        self._documents[id(each)], self._content[id(each)] = document, content
        return each

    def _take_correlation(self, correlation: SigmaCorrelationRule) -> bool:
        """Take a correlation; False if something that it refers to is missing, or not taken yet."""
        references = _references(correlation)
        if not all(name in self._names for name in references):
            return False
        keys = tuple(self._names[name] for name in references)
        try:
            for pipeline in self._pipelines:
                pipeline.apply(correlation)
        except (*_REFUSED, *_WRONG_TYPES) as error:
            self._refuse(correlation, _words(error))
            return True
        if reason := self._missing_in_alias(correlation, dict(zip(keys, references, strict=True))):
            self._refuse(correlation, reason)
        elif not self._has_name_of_another(correlation):
            self._take(correlation, CorrelationRule(self._head(correlation), correlation, keys, references))
        return True

    def _missing_in_alias(self, correlation: SigmaCorrelationRule, names: dict[str, str]) -> str:
        """Why an alias cannot be used: it has no field for a rule, which would then never be counted."""
        for alias in correlation.aliases:
            known = {self._names.get(each.reference) for each in alias.mapping}
            for key, name in names.items():
                if key not in known and isinstance(self._taken[key], Rule):
                    return f"alias '{alias.alias}' has no field for rule '{name}'"
        return ""

    def _has_name_of_another(self, each: Any) -> bool:
        """Refuse a rule with the name of another one: a correlation would count only one of them."""
        twice = sorted(name for name in _called(each) if self._names.get(name, _key(each)) != _key(each))
        if twice:
            self._refuse(each, f"'{twice[0]}' is the name of another rule already")
        return bool(twice)

    def _take(self, sigma: Any, rule: Rule | CorrelationRule) -> None:
        self._taken[rule.head.key] = rule
        self._names |= dict.fromkeys(_called(sigma), rule.head.key)

    def _refuse(self, each: Any, reason: str) -> None:
        self._refusals.append(self._documents[id(each)].refuse(reason))

    def _head(self, rule: Any) -> Head:
        document = self._documents[id(rule)]
        return Head(
            key=_key(rule),
            title=rule.title or _key(rule),
            level=rule.level.name.lower() if rule.level else "medium",
            tags=tuple(str(tag) for tag in rule.tags),
            path=document.path,
            line=document.line,
            text=document.text,
            meaning=(self._content[id(rule)], self._filters.get(id(rule), []), self._texts),
            scenarios=tuple(map(str, rule.custom_attributes.get("scenarios") or ())),
            examples=rule.custom_attributes.get("examples") or {},
        )


def _narrowed(sources: Sequence[Source], trees: Sequence[Any]) -> tuple[Source, ...]:
    """The sources, limited to the channels and event ids in the conditions, if every condition names them."""
    found: dict[Source, None] = {}
    for tree in trees:
        ids, named = event_ids(tree), channels(tree)
        for source in sources:
            wanted = ids if source.event_ids is None else source.event_ids & (ids or source.event_ids)
            own = [source.channel] if source.channel else [None] if named is None else list(named)
            for channel in own:
                if named is None or channel is None or channel.lower() in named:
                    found[Source(channel, wanted, source.renamed)] = None
    return tuple(found)


def _references(correlation: SigmaCorrelationRule) -> tuple[str, ...]:
    if correlation.rules is not None:
        return tuple(each.reference for each in correlation.rules)
    condition: Any = correlation.condition
    return tuple(condition.get_referenced_rules())


def _key(rule: Any) -> str:
    return str(rule.id or rule.name or rule.title)


def _called(rule: Any) -> set[str]:
    return {str(each) for each in (rule.id, rule.name) if each} or {_key(rule)}


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merge two mappings; `above` has priority over `below`."""
    merged = dict(below)
    for name, value in above.items():
        lower = merged.get(name)
        merged[name] = _merged(lower, value) if isinstance(lower, dict) and isinstance(value, dict) else value
    return merged


def _words(error: BaseException) -> str:
    """The error as one line, without pySigma's name of the file."""
    text = str(error.args[0]) if error.args else type(error).__name__
    return " ".join(text.split())
