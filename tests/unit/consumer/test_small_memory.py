"""The verdict does not depend on how few hashes are kept."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.verify.audit.audit import Expectations
from consumer.verify.audit.findings import merged
from consumer.verify.audit.hash_store import CHUNK_IDS
from consumer.verify.audit.records import Place
from consumer.verify.audit.without_ledger import AuditWithoutLedger

ONE_CHUNK = 8 * CHUNK_IDS
COUNT = 5 * CHUNK_IDS
LINE = (
    b'{"timestamp":"T","level":"L","source":"S","event_id":1,"event_type":"E","record_id":%d,"computer":"C"}'
)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(1, COUNT), st.integers(1, 400)), max_size=4),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_forgetting_hashes_accuses_nobody(kept, replays, dice, shuffled):
    ids = list(range(1, COUNT + 1))
    for first, length in replays:
        at = dice.randrange(len(ids))
        ids[at:at] = range(first, min(first + length, COUNT + 1))
    if shuffled:
        dice.shuffle(ids)
    audit = AuditWithoutLedger(
        Expectations(ordered=False), lambda _, line: Place("f", None, line), kept * ONE_CHUNK
    )
    audit.take((LINE % number, None, None, line, 0) for line, number in enumerate(ids))
    (run,) = audit.runs(allow_gaps=False)
    findings = merged((audit.findings, run.findings))
    assert findings.counts == ({"duplicated": len(ids) - COUNT} if len(ids) > COUNT else {})
    assert run.distinct == COUNT
