"""The verdict does not depend on how few hashes are kept, nor on when the ledger became known."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.events.identity import identify_damaged
from consumer.verify.audit.audit import Audit
from consumer.verify.audit.sequence import CHUNK_IDS
from consumer.verify.audit.verdict import compare
from consumer.verify.expected.expected import Expected
from producer.log.ledger import LedgerBlock, hash_line, line_digest

ONE_CHUNK = 8 * CHUNK_IDS
COUNT = 5 * CHUNK_IDS
LINE = (
    b'{"timestamp":"T","level":"L","source":"S","event_id":1,"event_type":"E","record_id":%d,"computer":"C"}'
)


def blocks(size):
    for first in range(1, COUNT + 1, size):
        last = min(first + size - 1, COUNT)
        yield LedgerBlock(
            "C", "S", first, last, b"".join(line_digest(LINE % n) for n in range(first, last + 1))
        )


def audited(ids, expected, kept):
    audit = Audit("t", identify_damaged, hash_line, expected.add_chunk, expected.has, kept * ONE_CHUNK)
    audit.take((LINE % number, None, 0, offset, 0) for offset, number in enumerate(ids))
    return audit


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 3),
    st.integers(1, 700),
    st.lists(st.tuples(st.integers(1, COUNT), st.integers(1, 400)), max_size=4),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_forgetting_hashes_accuses_nobody(kept, size, replays, dice, shuffled):
    ids = list(range(1, COUNT + 1))
    for first, length in replays:
        at = dice.randrange(len(ids))
        ids[at:at] = range(first, min(first + length, COUNT + 1))
    if shuffled:
        dice.shuffle(ids)
    expected = Expected(blocks(size))
    audit = audited(ids, expected, kept)
    suspects = compare(audit, expected, {})
    assert not suspects
    assert not audit.differing.counts
    assert audit.findings.count("lost") == audit.findings.count("invented") == 0
    assert audit.findings.count("duplicated") == len(ids) - COUNT


@given(st.integers(1, 3), st.integers(1, 700))
@settings(deadline=None, max_examples=20)
def test_a_ledger_that_comes_late_accuses_nobody(kept, size):
    expected = Expected()
    audit = audited(range(1, COUNT + 1), expected, kept)
    expected.extend(blocks(size))
    suspects = compare(audit, expected, {})
    assert not suspects.damaged
    assert not suspects.invented


def test_damage_is_found_with_one_chunk_of_memory():
    expected = Expected(blocks(100))
    audit = Audit("t", identify_damaged, hash_line, expected.add_chunk, expected.has, ONE_CHUNK)
    audit.take((LINE % n + (b"x" if n == 333 else b""), None, 0, n, 0) for n in range(1, COUNT + 1))
    assert compare(audit, expected, {}).damaged == {(b"C", b"S"): [(301, 400)]}
