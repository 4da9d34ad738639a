"""Our own rules: their examples pass, and they find every attack of the generator and nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from itertools import islice

import pytest

from detection.alerts import Alert
from detection.detector import Detector
from detection.running.examples import run_examples
from detection.running.rule_source import RuleSource
from detection.running.score import Labels, scores
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
    assert untested == set()


ATTACKS = {
    "Passwords guessed for one account",
    "A guessed password fits",
    "One address tries many accounts",
    "Service with a suspicious command installed",
    "Several logs of one computer cleared",
    "Administrator for a moment",
}


SCENARIOS = (
    "brute-force",
    "password-spray@20",
    "service-install@30",
    "log-cleared@40",
    "rogue-account@50",
)


@pytest.mark.parametrize(
    "seed", [1, 2, 3, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(4, 11))]
)
def test_each_attack_is_found_once_and_nothing_else_is_taken_for_one(seed: int) -> None:
    """In half an hour of ordinary events; the last attacker logs on after fifteen minutes."""
    alerts, labels = _alerts(seed, SCENARIOS)
    titles = Counter(alert.head.title for alert in alerts)
    assert {title: titles[title] for title in ATTACKS} == dict.fromkeys(ATTACKS, 1)
    rows = scores(RULES, alerts, labels, {})
    assert {row.head.title for row in rows} == ATTACKS
    assert {(row.played, row.precision, row.recall) for row in rows} == {(1, 1.0, 1.0)}


def test_a_calm_day_has_no_attack() -> None:
    alerts, _ = _alerts(2, ())
    assert not ATTACKS & {alert.head.title for alert in alerts}


def _alerts(seed: int, scenarios: tuple[str, ...]) -> tuple[list[Alert], Labels]:
    start = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)
    settings = GeneratorSettings(seed=seed, scenarios=scenarios, start_time=start, labels=True)
    events = b"".join(event.line for event in islice(generate(settings), 25_000))
    labels, detector = Labels(), Detector(RULES)
    labels.read(events)
    last = {alert.id: alert for alert in [*detector.feed(events), *detector.finish()]}
    return [alert for alert in last.values() if alert.merged_into is None], labels
