"""What win-event-kafka-setup writes, and where."""

from __future__ import annotations

import json

import pytest

from kafka_setup.cli_output import report
from kafka_setup.topology.resources import Result

RESULTS = [
    Result("exists", "topic", "events"),
    Result("created", "user", "bridge"),
    Result("exists", "acl", "a"),
]


def test_apply_lists_what_it_did_and_counts_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(RESULTS, as_json=False, untold="exists") == 0
    written = capsys.readouterr()
    assert written.out == "created  user  bridge\n"
    assert written.err == "2 exists, 1 created\n"


def test_json_has_every_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([*RESULTS, Result("failed", "acl", "b")], as_json=True, untold="exists") == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["status"] for row in rows] == ["exists", "created", "exists", "failed"]
