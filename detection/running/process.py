"""One run over lines: feeds the detector, hands over alerts, changes rules on request. It prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from detection.alerts import Alert
from detection.detector import Detector
from detection.matching.rule_set import RuleSet

Taken = Callable[[Alert], object]


def run(
    detector: Detector,
    blocks: Iterable[tuple[str, bytes | None]],
    taken: Taken,
    new_rules: Callable[[], RuleSet | None] = lambda: None,
) -> None:
    """Run until the blocks end; then every alert was passed on with its last count."""
    for source, block in blocks:
        if (rules := new_rules()) is not None:
            for alert in detector.reload(rules):
                taken(alert)
        if block is None:
            found = detector.rest(source)
        elif block:
            found = detector.feed(block, source)
        else:
            continue
        for alert in found:
            taken(alert)
    for alert in detector.finish():
        taken(alert)
