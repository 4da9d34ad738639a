"""win-event-verify counts exactly the damage that was done to the records.

`make test-damage` tries thousands of cases (WIN_EVENT_DAMAGE_EXAMPLES: how many of each kind).
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from damage import HAPPENINGS, SHAPES, Heap, MadeRun, Pipeline, judged, ledger_text, made
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.verify.audit.audit import Expectations
from consumer.verify.audit.report import Report, Rules
from consumer.verify.expected.references import LedgerReference
from consumer.verify.verify import AuditSettings, audit

EXAMPLES = int(os.environ.get("WIN_EVENT_DAMAGE_EXAMPLES", "0")) or examples(90)
KINDS = (
    "lost", "unseen", "duplicated", "reordered", "corrupt", "invented", "other_run", "unknown_shape",
    "rejected", "distinct",
)  # fmt: skip
happenings = st.lists(st.sampled_from(HAPPENINGS), max_size=12)
seeds = st.integers(0, 2**32)


class Ledgers(LedgerReference):
    """Ledgers of runs on disk. `late`: how many blocks each gets after a batch; None: all are there."""

    def __init__(self, folder: Path, runs: tuple[MadeRun, ...], late: int | None, ended: bool) -> None:
        self._made, self._late, self._ended = runs, late, ended
        self._paths = [folder / f"{number}.ledger" for number in range(len(runs))]
        self._entries = 0 if late else 10_000
        self._write(ended=ended and not late)
        super().__init__(self._paths)

    def catch_up(self) -> bool:
        if self._late:
            self._entries += self._late
            self._write(ended=False)
        return super().catch_up()

    def wait_until(self, enough: Callable[[], bool]) -> None:
        self._entries = 10_000
        self._write(ended=self._ended)
        super().catch_up()
        enough()

    def _write(self, ended: bool) -> None:
        for path, run in zip(self._paths, self._made, strict=True):
            path.write_bytes(ledger_text(run, self._entries, ended=ended))


def audited(
    pipeline: Pipeline, rules: Rules, batch: int = 40, late: int | None = None, ended: bool = True
) -> tuple[Report, Counter[str]]:
    """The result of the audit, and the expected result."""
    records = pipeline.records()
    with TemporaryDirectory() as folder:
        judge = Ledgers(Path(folder), pipeline.runs, late, ended)
        heap = Heap(records, pipeline.rejected, batch)
        settings = AuditSettings(rules, Expectations(keyed=True), judge)
        report = audit(settings, heap, heap, lambda what, done, total: None)
    return report, judged(pipeline.runs, records, pipeline.rejected, over=ended or rules.complete)


def counted(report: Report) -> Counter[str]:
    found = report.as_json()
    return +Counter({kind: found[kind] for kind in KINDS})


def happened(shape: str, runs: int, events: list[Callable[[Pipeline], None]], seed: int) -> Pipeline:
    pipeline = Pipeline(tuple(made(shape, run) for run in range(runs)), random.Random(seed))
    for happen in events:
        if pipeline.topic:
            happen(pipeline)
    return pipeline


def verdict(pipeline: Pipeline, counts: Counter[str], exactly_once: bool = False) -> str:
    if not pipeline.topic:
        return "FAILED"  # an audit that has read nothing is no success
    fatal = ("lost", "corrupt", "invented", "reordered", *(("duplicated",) if exactly_once else ()))
    return "FAILED" if any(counts[kind] for kind in fatal) else "incomplete" if counts["unseen"] else "ok"


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(1, 3), happenings, seeds, st.booleans(), st.booleans())
def test_what_was_done_to_ended_runs_is_what_is_found(shape, runs, events, seed, exactly_once, known):
    pipeline = happened(shape, runs, events, seed)
    report, expected = audited(pipeline, Rules(exactly_once), late=None if known else 3)
    assert counted(report) == expected
    assert report.verdict == verdict(pipeline, expected, exactly_once)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(SHAPES), happenings, seeds, st.integers(1, 80), st.integers(1, 6), st.booleans())
def test_the_same_of_a_run_that_goes_on_and_whose_ledger_is_late(shape, events, seed, batch, late, complete):
    pipeline = happened(shape, 1, events, seed)
    report, expected = audited(pipeline, Rules(complete=complete), batch, late, ended=False)
    assert counted(report) == expected
    assert report.verdict == verdict(pipeline, expected)
