"""The hand-written programs that the bench compares with Flink give the same answers as the oracle."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone

import attacked
import oracle

from bench.analytics.by_hand import WIDTH, Group, burst_rows, failure_of, window_rows

START = datetime(2026, 11, 20, 10, tzinfo=timezone.utc)


def test_questions_by_hand_answer_as_the_oracle_does() -> None:
    events = attacked.events(3, 2_000, START)
    groups, failures = defaultdict(Group), defaultdict(list)
    for event in events:
        groups[event["ms"] // WIDTH, event["level"], event["source"]].add(event["ms"], event["computer"])
        if address := failure_of(event):
            failures[address].append((event["ms"], event["data"]["TargetUserName"]))
    windows = {(row["window_start"], row["level"], row["source"]): row for row in window_rows(groups.items())}
    assert windows == oracle.level_windows(events)
    found = [row for address, group in failures.items() for row in burst_rows(address, group)]
    assert found
    assert {("brute_force", row["subject"], row["first"]): row for row in found} == oracle.brute_force(events)
