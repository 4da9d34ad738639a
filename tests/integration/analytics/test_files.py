"""Every question over files, in one run: in every shape and order, the rows equal those of plain Python."""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attacked
import oracle
import pytest
from running import QUICK_JVM, REPOSITORY, run

from analytics.answers import primary_key
from local_stack.jars.java import java_home
from producer.event_shapes import shape_of
from producer.events.any_shape import level_of

pytestmark = pytest.mark.integration

JOB = REPOSITORY / "analytics" / "job.py"
START = oracle._EPOCH.replace(year=2026, month=11, day=20, hour=10)
QUESTIONS = (
    "level_counts", "level_windows", "error_burst", "brute_force",
    "top_accounts", "logon_sessions", "enriched",
)  # fmt: skip
# Their times are whole seconds.
PRECISION = {"flat": 1, "winlogbeat": 1, "nxlog": 1000, "winevtlog": 1000}
_WINEVTLOG_TIME = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \+0000")
_CHANNEL = b'"channel":"Security"', b'"channel":"security"'  # as some versions of Winlogbeat write it
HOSTS = {"DC-005.flat.example": ("domain controller", "Osaka"), "WS-001.nxlog.example": ("desk", "Lyon")}


def _lines(seed: int, fmt: str, domain: str) -> list[bytes]:
    """The computers have the shape's name as their domain, so that the four logs stay separate."""
    found = [*attacked.lines(seed, 600, START, fmt)]
    if fmt == "flat":
        events = [json.loads(line) for line in found]
        found += [event["line"] for event in [*attacked.spray(events), *attacked.shared_logon_id(events)]]
    found = [line.replace(b"corp.example", f"{domain}.example".encode()) for line in found]
    if fmt == "winlogbeat":
        found = [line.replace(*_CHANNEL).replace(b"{", b'{"source":{"ip":"10.0.0.1"},', 1) for line in found]
    return [_WINEVTLOG_TIME.sub(_in_tokyo, line) for line in found] if fmt == "winevtlog" else found


def _with_an_array(line: bytes) -> bytes:
    """As some senders write an empty object: "data": [], for an event whose data no question asks for."""
    event = json.loads(line)
    if not {"TargetUserName", "TargetLogonId", "LogonType", "IpAddress"} & set(event["data"]):
        event["data"] = []
    return json.dumps(event).encode()


def _in_tokyo(utc: re.Match[bytes]) -> bytes:
    """The same moment, as a machine in Tokyo writes it."""
    moment = datetime.strptime(utc[1].decode(), "%Y-%m-%d %H:%M:%S") + timedelta(hours=9)
    return f"{moment:%Y-%m-%d %H:%M:%S} +0900".encode()


def test_a_question_that_flink_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "mine.sql").write_text("INSERT INTO nowhere SELECT computer FROM events;\n")
    (tmp_path / "events.ndjson").write_text("{}\n")
    answer = run(
        sys.executable, JOB, tmp_path / "mine.sql", "--from-files", tmp_path / "events.ndjson",
        env={"JAVA_HOME": str(java_home())},
    )  # fmt: skip
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: mine.sql: Cannot find table")
    assert "nowhere" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_every_answer_equals_plain_pythons_in_all_shapes(tmp_path: Path) -> None:
    expected: list[dict[str, Any]] = []
    for seed, (fmt, precision) in enumerate(PRECISION.items(), start=1):
        lines = _lines(seed, fmt, fmt)
        expected += [oracle.with_time(json.loads(line), precision) for line in _lines(seed, "flat", fmt)][
            : len(lines)
        ]
        if fmt == "flat":
            lines = [_with_an_array(line) for line in lines]
        random.Random(seed).shuffle(lines)
        (tmp_path / f"{fmt}.ndjson").write_bytes(b"not an event\n\n" + b"\n".join(lines) + b"\n")
    hosts = tmp_path / "hosts.csv"
    hosts.write_text("".join(f"{name},{role},{site}\n" for name, (role, site) in HOSTS.items()))

    answer = run(
        sys.executable, JOB, ",".join(QUESTIONS), "--from-files", tmp_path / "*.ndjson", "--hosts", hosts,
        "--set", "threshold=4", "--set", "brute_force.threshold=5", "--set", "level_windows.width=30",
        env={"JAVA_HOME": str(java_home()), **QUICK_JVM},
    )  # fmt: skip

    assert answer.returncode == 0, answer.stderr
    assert "note: 4 lines are no JSON objects and are in no answer" in answer.stderr
    found: dict[str, oracle.Rows] = defaultdict(dict)
    for row in map(json.loads, answer.stdout.splitlines()):
        result = row.pop("result")
        key = tuple(row[name] for name in primary_key(result))
        assert key not in found[result]
        found[result][key] = row
    for event in expected:  # the message of these shapes has Windows' line ends
        if ".winlogbeat." in event["computer"] and event["source"] == "Security":
            event["source"] = "security"
        if ".nxlog." in event["computer"] or ".winevtlog." in event["computer"]:
            event["message"] = event["message"].replace("\n", "\r\n")
    assert found["events_by_level"] == oracle.level_counts(expected)
    assert found["events_by_level_5m"] == oracle.level_windows(expected, 30)
    assert found["top_5m"] == oracle.top_accounts(expected)
    assert found["logon_sessions"] == oracle.logon_sessions(expected)
    assert found["events_enriched"] == oracle.enriched(expected, HOSTS)
    bursts = oracle.error_burst(expected, threshold=4)
    tries = oracle.brute_force(expected, threshold=5)
    assert {row["kind"] for row in tries.values()} == {"guessing", "spray"}
    assert bursts
    assert found["alerts"] == bursts | tries


def test_the_level_of_any_writer_is_that_of_the_other_tools(tmp_path: Path) -> None:
    written: list[dict[str, Any]] = [
        *({"level": level} for level in ("Error", "warn", "INFO", "debug", "critical", "custom")),
        *({"log": {"level": level}} for level in ("warn", "warning", "error", "information")),
        *({"Level": level} for level in ("Error", "Warning", "0", 1, 2, 5)),
        *({"Severity": level} for level in ("WARNING", "CRITICAL", "DEBUG", "INFO")),
        *({"Severity": "ERROR", "EventType": kind} for kind in ("AUDIT_FAILURE", "FailureAudit", "ERROR")),
    ]
    events = [{"timestamp": f"{START:%Y-%m-%dT%H:%M:%S}Z", "computer": "a", **each} for each in written]
    (tmp_path / "events.ndjson").write_bytes(b"".join(json.dumps(each).encode() + b"\n" for each in events))
    answer = run(
        sys.executable, JOB, "level_counts", "--from-files", tmp_path / "events.ndjson",
        env={"JAVA_HOME": str(java_home()), **QUICK_JVM},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    rows = map(json.loads, answer.stdout.splitlines())
    assert {row["level"]: row["events"] for row in rows} == Counter(
        level_of(each, shape_of(each)) for each in events
    )
