"""From what was read and what was expected to the findings. Pure."""

from __future__ import annotations

from consumer.verify.audit.audit import Audit
from consumer.verify.audit.findings import Finding, Kind, event_name
from consumer.verify.audit.inspection import Suspects
from consumer.verify.audit.intervals import Intervals
from consumer.verify.expected.expected import Expected, ExpectedSequence, Key

_NO_IDS = Intervals()
_NOTHING_EXPECTED = ExpectedSequence()


def compare_with_itself(audit: Audit, rejected: dict[Key, Intervals]) -> None:
    """Every id between the first and the last seen of a sequence must be there, or be rejected."""
    for key, sequence in audit.sequences.items():
        seen = sequence.all_seen()
        between = Intervals([(seen.first, seen.last)])
        _report(audit, "lost", key, between.minus(seen).minus(rejected.get(key, _NO_IDS)))
    audit.findings.merge(audit.differing)


def compare(audit: Audit, expected: Expected, rejected: dict[Key, Intervals]) -> Suspects:
    """Every expected id must be there or be rejected, and no other; returns what wants a second look."""
    audit.hashes.evict_all()
    suspects = Suspects()
    for key in sorted(expected.sequences.keys() | audit.sequences.keys()):
        sequence = audit.sequences.get(key)
        seen = sequence.all_seen() if sequence else _NO_IDS
        wanted = expected.sequences.get(key, _NOTHING_EXPECTED)
        _compare_ids(audit, key, seen, wanted.ids, rejected.get(key, _NO_IDS))
        _find_suspects(suspects, key, seen, wanted)
    return suspects


def covers(expected: Expected, audit: Audit) -> bool:
    """Whether everything that was read is expected."""
    return not any(
        sequence.all_seen().minus(expected.sequences.get(key, _NOTHING_EXPECTED).ids)
        for key, sequence in audit.sequences.items()
    )


def _compare_ids(audit: Audit, key: Key, seen: Intervals, wanted: Intervals, rejected: Intervals) -> None:
    invented = seen.minus(wanted)
    genuine = seen.minus(invented)
    highest = genuine.last if genuine else 0
    missing = wanted.minus(seen).minus(rejected)
    _report(audit, "invented", key, invented)
    _report(audit, "lost", key, Intervals((first, min(last, highest)) for first, last in missing))
    _report(audit, "unseen", key, Intervals((max(first, highest + 1), last) for first, last in missing))


def _find_suspects(suspects: Suspects, key: Key, seen: Intervals, wanted: ExpectedSequence) -> None:
    if damaged := wanted.damaged(seen):
        suspects.damaged[key] = damaged
    if part_read := Intervals(wanted.open(seen)):
        suspects.open[key] = part_read
    if invented := seen.minus(wanted.ids):
        suspects.invented[key] = invented


def _report(audit: Audit, kind: Kind, key: Key, ids: Intervals) -> None:
    sequence = audit.sequences.get(key)
    for first, last in ids:
        # What shows a gap is the first id behind it.
        revealing = last + 1 if kind == "lost" else first
        place = sequence.places.get(revealing) if sequence else None
        detail = "missing before this record" if place and kind == "lost" else ""
        audit.findings.add(kind, Finding(event_name(*key, first, last), place, detail), last - first + 1)
