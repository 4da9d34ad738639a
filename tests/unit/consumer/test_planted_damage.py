"""win-event-verify can fail: it finds and names every kind of damage in a run."""

from __future__ import annotations

import orjson
import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SEED = ("--seed", "7", "--count", "400", "--hosts", "3", "--start-time", "2026-11-21")
FINDINGS = (
    "lost", "unseen", "duplicated", "reordered", "corrupt", "invented",
    "other_run", "unknown_shape", "rejected",
)  # fmt: skip


@pytest.fixture(params=["ledger", "seed", "itself"])
def judge(request, ledger):
    return {"ledger": ("--ledger", str(ledger)), "seed": SEED, "itself": ()}[request.param]


def identity(line):
    event = orjson.loads(line)
    return event["computer"], event["source"], event["record_id"]


def name(line):
    return "{}/{} {}".format(*identity(line))


def found(verdict):
    return {kind: verdict[kind] for kind in FINDINGS if verdict[kind]}


def neighbours(lines, start, same_source):
    """The positions of two lines of one computer that are near each other."""
    first = identity(lines[start])
    for later in range(start + 1, len(lines)):
        other = identity(lines[later])
        if other[0] == first[0] and (other[1] == first[1]) == same_source:
            return start, later
    raise AssertionError("no such pair")


def middle_of_a_sequence(lines):
    """A line that is neither the first nor the last of its sequence."""
    for at, line in enumerate(lines[50:], start=50):
        key = identity(line)[:2]
        if identity(line)[2] > 1 and any(identity(other)[:2] == key for other in lines[at + 1 :]):
            return at
    raise AssertionError("no such line")


def test_an_undamaged_run_passes(audit, lines, judge):
    verdict = audit(list(lines), *judge)
    assert verdict.exit_code == 0
    runs = verdict.report.pop("runs")
    notes = verdict.report.pop("notes")
    assert verdict.report == {
        "records": 400, "distinct": 400, "lost": 0, "unseen": 0, "duplicated": 0, "reordered": 0,
        "corrupt": 0, "invented": 0, "other_run": 0, "unknown_shape": 0, "rejected": 0,
        "missing_at_end": 0, "unread": 0, "transactions": [],
        "latency_ms": {"p50": None, "p99": None, "max": None}, "verdict": "ok", "ok": True,
    }  # fmt: skip
    assert [(run["distinct"], run["verdict"]) for run in runs] == [(400, "ok")]
    assert notes == []
    assert verdict.examples == ""


def test_a_lost_event_is_named(audit, lines, judge):
    at = middle_of_a_sequence(lines)
    verdict = audit([*lines[:at], *lines[at + 1 :]], *judge)
    assert found(verdict) == {"lost": 1}
    assert verdict.exit_code == 1
    assert f"lost: {name(lines[at])}" in verdict.examples


def test_a_missing_tail_is_incomplete_until_the_run_is_said_to_be_over(audit, lines, ledger, ended):
    verdict = audit(list(lines[:-5]), "--ledger", str(ledger))
    assert found(verdict) == {"unseen": 5}
    assert (verdict.exit_code, verdict["verdict"], verdict["ok"]) == (3, "incomplete", False)
    assert name(lines[-1]).rpartition(" ")[0] in verdict.examples
    for options in (("--ledger", str(ledger), "--complete"), ("--ledger", str(ended)), SEED):
        verdict = audit(list(lines[:-5]), *options)
        assert (verdict.exit_code, found(verdict)) == (1, {"lost": 5}), options
        assert verdict["missing_at_end"] == 5


def test_a_computer_that_never_came_is_missed(audit, lines, ledger):
    gone = identity(lines[0])[0]
    kept = [line for line in lines if identity(line)[0] != gone]
    verdict = audit(kept, "--ledger", str(ledger))
    assert (verdict.exit_code, found(verdict)) == (3, {"unseen": 400 - len(kept)})
    verdict = audit(kept, *SEED)
    assert (verdict.exit_code, found(verdict)) == (1, {"lost": 400 - len(kept)})


def test_duplicates_are_allowed_unless_exactly_once(audit, lines, judge):
    damaged = [*lines[:200], *lines[150:200], *lines[200:]]
    verdict = audit(damaged, *judge)
    assert found(verdict) == {"duplicated": 50}
    assert verdict["distinct"] == 400
    assert verdict.exit_code == 0
    assert f"duplicated: {name(lines[150])}, events.ndjson line 201" in verdict.examples
    assert audit(damaged, *judge, "--exactly-once").exit_code == 1


@pytest.mark.parametrize("same_source", [True, False], ids=["one channel", "two channels"])
def test_a_swap_within_a_computer_is_named(audit, lines, judge, same_source):
    first, second = neighbours(lines, 100, same_source)
    damaged = list(lines)
    damaged[first], damaged[second] = damaged[second], damaged[first]
    verdict = audit(damaged, *judge)
    assert found(verdict) == {"reordered": verdict["reordered"]}
    assert verdict["reordered"] >= 1
    assert verdict.exit_code == 1
    assert f"reordered: {identity(lines[first])[0]}/" in verdict.examples
    assert audit(damaged, *judge, "--any-order").exit_code == 0


def test_every_pair_of_lines_swapped_is_not_in_order(audit, lines, judge):
    verdict = audit([line for at in range(0, len(lines), 2) for line in (lines[at + 1], lines[at])], *judge)
    assert verdict.exit_code == 1
    assert list(found(verdict)) == ["reordered"]


def test_a_flipped_byte_is_named(audit, lines, ledger):
    at = 100
    position = lines[at].rindex(b'"message":"') + 15
    damaged = list(lines)
    damaged[at] = lines[at][:position] + bytes([lines[at][position] ^ 1]) + lines[at][position + 1 :]
    for judge in (("--ledger", str(ledger)), SEED):
        verdict = audit(damaged, *judge)
        assert (verdict.exit_code, found(verdict)) == (1, {"corrupt": 1})
        assert f"corrupt: {name(lines[at])}, events.ndjson line {at + 1}" in verdict.examples


def test_a_damaged_copy_is_named_though_the_first_is_whole(audit, lines, judge):
    damaged = [*lines, lines[100].replace(b'"level":"', b'"level":"X', 1)]
    verdict = audit(damaged, *judge)
    assert found(verdict) == {"duplicated": 1, "corrupt": 1}
    assert f"corrupt: {name(lines[100])}, events.ndjson line 401" in verdict.examples


def test_a_damaged_first_copy_is_told_from_its_whole_second(audit, lines):
    damaged = [*lines[:100], lines[100].replace(b'"level":"', b'"level":"X', 1), *lines[100:]]
    verdict = audit(damaged, *SEED)
    assert found(verdict) == {"duplicated": 1, "corrupt": 1}
    assert f"corrupt: {name(lines[100])}, events.ndjson line 101" in verdict.examples


def test_a_torn_line_is_corrupt(audit, lines, judge):
    at = middle_of_a_sequence(lines)
    damaged = list(lines)
    damaged[at] = lines[at][:-20]
    verdict = audit(damaged, *judge)
    assert verdict["corrupt"] == 1
    assert f"events.ndjson line {at + 1}" in verdict.examples
    assert verdict.exit_code == 1


def test_an_invented_event_is_named_and_spoils_nothing_else(audit, lines, ledger):
    forged = orjson.loads(lines[100])
    forged["record_id"] = 1_000_000
    damaged = [*lines[:100], orjson.dumps(forged), *lines[100:]]
    for judge in (("--ledger", str(ledger)), SEED):
        verdict = audit(damaged, *judge)
        assert found(verdict) == {"invented": 1}
        assert f"invented: {name(damaged[100])}, events.ndjson line 101" in verdict.examples
        assert verdict.exit_code == 1


def test_what_the_seed_did_not_make_is_invented(audit, lines):
    shorter = ("--seed", "7", "--count", "390", "--hosts", "3", "--start-time", "2026-11-21")
    verdict = audit(list(lines), *shorter)
    assert found(verdict) == {"invented": 10}
    assert f"invented: {name(lines[390])}, events.ndjson line 391" in verdict.examples


def test_a_run_on_the_clock_is_compared_but_for_its_times(audit, lines):
    judge = ("--seed", "7", "--count", "400", "--hosts", "3")
    assert audit(list(lines), *judge).exit_code == 0
    damaged = [*lines[:100], lines[100].replace(b'"task":"', b'"task":"X', 1), *lines[101:]]
    assert found(audit(damaged, *judge)) == {"corrupt": 1}


def test_another_seed_does_not_pass(audit, lines):
    assert audit(list(lines), "--seed", "8", "--count", "400", "--hosts", "3").exit_code == 1


def test_nothing_is_no_success(audit):
    assert audit([]).exit_code == 1


def test_a_torn_ledger_is_read_to_its_last_whole_line(audit, lines, ledger, tmp_path):
    torn = tmp_path / "torn.ledger"
    torn.write_bytes(ledger.read_bytes() + b'{"computer":"WS-0')
    assert audit(list(lines), "--ledger", str(torn)).exit_code == 0


@settings(
    max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_changed_byte_goes_unnoticed(audit, lines, ledger, data):
    at = data.draw(st.integers(0, len(lines) - 1))
    position = data.draw(st.integers(0, len(lines[at]) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != lines[at][position]))
    damaged = list(lines)
    damaged[at] = lines[at][:position] + bytes([byte]) + lines[at][position + 1 :]
    verdict = audit(damaged, "--ledger", str(ledger), "--complete")
    assert verdict.exit_code == 1, found(verdict)


@settings(
    max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_counts_are_exact_for_any_mix_of_loss_and_repetition(audit, lines, ledger, data):
    lost = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=30))
    kept = [line for at, line in enumerate(lines) if at not in lost]
    repeated = data.draw(st.integers(0, len(kept)))
    verdict = audit([*kept, *kept[:repeated]], "--ledger", str(ledger))
    assert verdict["records"] == len(kept) + repeated
    assert verdict["distinct"] == len(kept)
    assert verdict["duplicated"] == repeated
    assert verdict["lost"] + verdict["unseen"] == len(lost)
    assert verdict["corrupt"] == verdict["invented"] == 0


def test_the_two_judges_are_not_given_together(audit, lines, ledger):
    from click.testing import CliRunner

    from consumer.verify_cli import main

    result = CliRunner().invoke(main, ["--file", str(ledger), "--ledger", str(ledger), *SEED])
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr
