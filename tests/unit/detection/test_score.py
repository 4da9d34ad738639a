"""Precision, recall and delay against labels; the alerts of one process that reads a pipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from detection.cli import main
from detection.running.rule_source import BUILT_IN
from local_stack.layout import REPOSITORY
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

pytestmark = pytest.mark.programs

SCHEMA = json.loads((REPOSITORY / "detection" / "alert.schema.json").read_text())
DETECT = Path(sys.executable).parent / "win-event-detect"
ATTACKS = ("brute-force", "password-spray@20", "service-install@30", "log-cleared@40", "rogue-account@50")


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    start = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)
    settings = GeneratorSettings(seed=2, scenarios=ATTACKS, start_time=start, labels=True)
    file = tmp_path_factory.mktemp("events") / "events.ndjson"
    file.write_bytes(b"".join(event.line for event in islice(generate(settings), 10_000)))
    return file


@pytest.fixture(scope="module")
def scored(events: Path) -> list[dict[str, Any]]:
    """The rows of the score of all events."""
    answer = _asked("score", "--json", "--fail-under", "1", events)
    assert answer.exit_code == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.fixture(scope="module")
def alerts(events: Path) -> list[dict[str, Any]]:
    """The alerts about all events."""
    return [json.loads(line) for line in _run("--output", "json", events).stdout.splitlines()]


def _run(*words: str | Path, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([DETECT, *words], input=text, capture_output=True, check=False)


def _asked(*words: str | Path) -> Result:
    """The same in this process, for what takes no signals and does not read a pipe to its end."""
    answer = CliRunner().invoke(main, [str(word) for word in words])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer


def test_every_scenario_is_found_and_nothing_else_is_called_one(scored: list[dict[str, Any]]) -> None:
    assert {row["scenario"] for row in scored} == {name.partition("@")[0] for name in ATTACKS}
    assert {(row["precision"], row["recall"]) for row in scored} == {(1.0, 1.0)}


def test_a_missed_attack_and_a_false_alert_show(events: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rule.yml"
    text = """title: Any failed logon
id: 5d0b7f36-90a0-4b0e-9a1f-0d4cbb4a9c01
logsource: {product: windows, service: security}
detection:
  selection: {EventID: 4625}
  condition: selection
scenarios: [brute-force, log-cleared]
"""
    rules.write_text(text)
    answer = _asked("score", "--json", "--rules", rules, "--fail-under", "0.5", events)
    guessed, cleared = (json.loads(line) for line in answer.stdout.splitlines())
    assert answer.exit_code == 1
    assert guessed["recall"] == 1.0
    assert 0 < guessed["precision"] < 0.5
    assert (cleared["recall"], cleared["found"]) == (0.0, 0)


def test_an_attack_that_is_not_over_is_not_missed(events: Path, scored: list[dict[str, Any]]) -> None:
    """The right password of a brute force comes minutes after the wrong ones: a short run ends before it."""
    lines = events.read_bytes().splitlines(keepends=True)
    ended = next(number for number, line in enumerate(lines) if b'"scenario"' in line) + 2_000
    answer = _run("score", "--json", "--fail-under", "1", "-", text=b"".join(lines[:ended]))
    assert answer.returncode == 0, answer.stdout
    of_short = {row["title"]: row for row in map(json.loads, answer.stdout.splitlines())}
    short = of_short["A guessed password fits"]
    (whole,) = [row for row in scored if row["title"] == "A guessed password fits"]
    assert (short["played"], short["found"], short["open"], short["recall"]) == (1, 0, 1, None)
    assert (whole["played"], whole["found"], whole["open"], whole["recall"]) == (1, 1, 0, 1.0)
    assert of_short["Passwords guessed for one account"]["recall"] == 1.0


def test_the_delay_is_that_of_the_run_that_found_the_alerts(
    events: Path, alerts: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "alerts.ndjson"
    of_then = [alert | {"detected_at": alert["last"]} for alert in alerts]
    file.write_text("".join(json.dumps(alert) + "\n" for alert in of_then))
    rows = [
        json.loads(line) for line in _asked("score", "--json", "--alerts", file, events).stdout.splitlines()
    ]
    installed = next(row for row in rows if row["scenario"] == "service-install")
    assert installed["delay_p50"] == installed["delay_p99"] == 0.0
    assert all(row["delay_p99"] >= 0 for row in rows)


def test_alerts_are_json_lines_and_decide_the_exit_code(events: Path, alerts: list[dict[str, Any]]) -> None:
    answer = _run("--output", "json", "--fail-on-alert", "-", text=events.read_bytes())
    assert answer.returncode == 1
    of_pipe = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len({alert["id"] for alert in of_pipe}) == len(of_pipe)
    assert {"critical", "high"} <= {alert["level"] for alert in of_pipe}
    assert "informational" not in {alert["level"] for alert in of_pipe}
    for alert in of_pipe:
        jsonschema.validate(alert, SCHEMA)
    assert b"10,000 events" in answer.stderr
    assert _run("--fail-on-alert", "-", text=b"{}\n").returncode == 0
    assert {alert["id"] for alert in of_pipe} == {alert["id"] for alert in alerts}


def test_mistakes_of_the_call_are_told_in_a_line(tmp_path: Path) -> None:
    for words, code, said in (
        (("--rules", tmp_path / "none", "-"), 1, "there is no such file or folder"),
        ((tmp_path / "none",), 2, "does not exist"),
        (("--topic", "t", "-"), 2, "not both"),
        (("--min-level", "loud", "-"), 2, "loud"),
    ):
        answer = _asked(*words)
        assert answer.exit_code == code, answer.stderr
        assert said in answer.stderr


def test_rules_that_are_all_refused_are_no_clean_run(tmp_path: Path) -> None:
    """Such rules can find nothing: a check in a pipeline must not treat that as "no alerts"."""
    file = tmp_path / "broken.yml"
    file.write_text("title: [")
    for words in (("--rules", file, "-"), ("score", "--rules", file, "-")):
        answer = _asked(*words)
        assert answer.exit_code == 1
        assert f"no rule is left: {file}:1: not YAML" in answer.stderr


def test_an_alert_comes_while_the_pipe_is_open_and_new_rules_on_request(tmp_path: Path) -> None:
    rule = tmp_path / "rule.yml"
    detection = "{{selection: {{EventID: {}}}, condition: selection}}"
    text = "title: {}\nlogsource: {{product: windows}}\ndetection: " + detection + "\n"
    rule.write_text(text.format("First", 1))
    head = b'{"timestamp":"2026-01-05T12:00:00Z","source":"System","computer":"WS-1",'
    line = head + b'"event_id":%d,"record_id":%d}\n'
    command = [DETECT, "--rules", rule, "--output", "json", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(line % (1, 1))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["title"] == "First"
        rule.write_text(text.format("Second", 2))
        os.kill(process.pid, signal.SIGHUP)
        while b"loaded" not in process.stderr.readline():
            pass  # the first loading was told before
        assert b"loaded" in process.stderr.readline()
        process.stdin.write(line % (2, 2))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["title"] == "Second"
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_writes_the_alerts_that_are_open(number: int, tmp_path: Path) -> None:
    mark = tmp_path / "mark.yml"
    mark.write_text(
        "title: Mark\nlevel: low\nlogsource: {product: windows}\n"
        "detection: {selection: {EventID: 1}, condition: selection}\n"
    )
    line = (
        b'{"timestamp":"2026-01-05T12:00:%02dZ","source":"Security","computer":"DC-1","event_id":4625,'
        b'"record_id":%d,"data":{"TargetUserName":"a","IpAddress":"203.0.113.9"}}\n'
    )
    with subprocess.Popen(
        [DETECT, "--rules", BUILT_IN, "--rules", mark, "--output", "json", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(line % (second, second + 1) for second in range(30)))
        process.stdin.write((line % (30, 31)).replace(b"4625", b"1"))
        process.stdin.flush()
        first = json.loads(process.stdout.readline())  # the mark: all lines were read
        process.send_signal(number)
        found = [first, *map(json.loads, process.stdout)]
        assert process.wait(60) == 130
    (burst,) = [each for each in found if each["title"] == "Passwords guessed for one account"]
    assert burst["count"] == 30


def test_a_reader_who_has_seen_enough_is_no_error(events: Path) -> None:
    words = f"'{DETECT}' --output json '{events}' | head -n 1; echo ${{PIPESTATUS[0]}}"
    answer = subprocess.run(["bash", "-c", words], capture_output=True, check=True)
    alert, code = answer.stdout.splitlines()
    assert (json.loads(alert)["rule_id"] != "", code) == (True, b"0")
    assert b"Broken pipe" not in answer.stderr


def test_the_rules_that_never_match_here_are_named() -> None:
    answer = _asked("rules")
    assert answer.exit_code == 0
    assert "for a correlation only" in answer.stdout
    assert _asked("test").exit_code == 0
