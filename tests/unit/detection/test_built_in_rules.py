"""Our own rules: their examples, and the generator's attacks, every one found and nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from itertools import islice

from detection.detector import Detector
from detection.running.examples import run_examples
from detection.running.rule_source import RuleSource
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

RULES = RuleSource([]).load()


def test_nothing_is_refused_and_every_example_holds() -> None:
    assert RULES.refusals == ()
    results = list(run_examples(RULES))
    assert len(results) >= 35
    assert [each for each in results if not each.passed] == []
    names = {each.head.title for each in results}
    silent = [head for head in RULES.heads.values() if head.level != "informational" and head.alerts]
    untested = {head.title for head in silent} - names
    assert untested == {"Somebody works at night"}


ATTACKS = {
    "Passwords guessed for one account",
    "A guessed password fits",
    "One address tries many accounts",
    "Service with a suspicious command installed",
    "Several logs of one computer cleared",
    "Administrator for a moment",
}


def test_each_attack_is_found_once_and_a_calm_day_has_none() -> None:
    assert not ATTACKS & set(_titles(()))
    scenarios = (
        "brute-force",
        "password-spray@20",
        "service-install@30",
        "log-cleared@40",
        "rogue-account@50",
    )
    stormy = _titles(scenarios)
    assert {title: stormy[title] for title in ATTACKS} == dict.fromkeys(ATTACKS, 1)


def _titles(scenarios: tuple[str, ...]) -> Counter[str]:
    start = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)
    settings = GeneratorSettings(seed=2, scenarios=scenarios, start_time=start)
    events = b"".join(event.line for event in islice(generate(settings), 25_000))
    detector = Detector(RULES)
    return Counter(alert.head.title for alert in [*detector.feed(events), *detector.finish()] if alert.new)
