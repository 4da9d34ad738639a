"""--from-file: real events through the same log, the same protocol and the same audit."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from http_client import Http
from running import wait_until

from producer.events.event_time import time_of
from producer.protocol import ResumeRequest

LOGGERS = Path(__file__).resolve().parents[2] / "unit" / "flink_bridge" / "loggers"
OLD = LOGGERS / "old-events-2019.ndjson"
VERIFY = str(Path(sys.executable).with_name("win-event-verify"))


def read_log(server) -> bytes:
    reader = server.connect(ResumeRequest(None, "earliest"))
    assert reader.answer().offset == 0
    return reader.read_all()


@pytest.mark.parametrize("file", sorted(LOGGERS.glob("*.ndjson")), ids=lambda file: file.stem)
def test_every_line_of_a_real_logger_is_sent_as_it_is(start_producer, file: Path) -> None:
    server = start_producer(
        "--from-file", str(file), "--rate", "max", "--wait-for-clients", "1", "--exit-when-done"
    )
    content = read_log(server)
    assert server.wait() == 0
    expected = [line.rstrip(b"\r") for line in file.read_bytes().split(b"\n") if line.strip()]
    assert [json.loads(line) for line in content.splitlines()] == [json.loads(line) for line in expected]
    assert all(line in content for line in expected if line.isascii())


def test_old_events_become_recent_ones_at_the_rate(start_producer) -> None:
    server = start_producer(
        "--from-file", str(OLD), "--rate", "50", "--shift-time", "--loop", "--count", "120",
        "--wait-for-clients", "1", "--exit-when-done",
    )  # fmt: skip
    begin = time.time()
    events = [json.loads(line) for line in read_log(server).splitlines()]
    end = time.time()
    assert len(events) == 120
    assert end - begin >= 119 / 50
    assert all(begin - 3602 <= time_of(event) <= end for event in events)  # it goes back by an hour once
    assert sum(time_of(event) >= begin - 2 for event in events) > 60
    assert len({event["record_id"] for event in events}) < 120  # it is the same file again


def test_what_is_posted_read_and_generated_at_once_is_audited_green(start_producer, tmp_path: Path) -> None:
    log, ledger = tmp_path / "log.ndjson", tmp_path / "ledger.ndjson"
    server = start_producer(
        "--from-file", str(OLD), "--rate", "100", "--generated-rate", "300", "--loop",
        "--ledger", str(ledger), "--http-port", "0",
    )  # fmt: skip
    http = Http(server)
    reader = server.connect(ResumeRequest(None, "earliest"))
    assert reader.answer().offset == 0
    for number in range(20):
        assert http.post(b'[{"computer":"P-%d"},{"computer":"P"}]' % number).json["accepted"] == 2
    wait_until(lambda: http.metric('win_event_intake_events_total{origin="file"}') > 150, "the file's events")
    assert http.metric('win_event_intake_events_total{origin="http"}') == 40
    assert http.ask("POST", "/stop").json["running"] is False
    server.process.terminate()
    content = reader.read_all()
    assert server.wait() == 0
    log.write_bytes(content)
    verdict = subprocess.run(
        [VERIFY, "--file", log, "--ledger", ledger, "--key-field", "none"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    lines = content.splitlines(keepends=True)
    posted = next(number for number, line in enumerate(lines) if b'"P-7"' in line)
    log.write_bytes(b"".join(lines[:posted] + lines[posted + 1 :]))
    verdict = subprocess.run(
        [VERIFY, "--file", log, "--ledger", ledger, "--key-field", "none"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert verdict.returncode == 1, verdict.stdout + verdict.stderr


def test_standard_input_is_sent_while_it_comes(start_producer) -> None:
    server = start_producer("--from-file", "-", "--rate", "max", "--exit-when-done", stdin=subprocess.PIPE)
    reader = server.connect(ResumeRequest(None, "earliest"))
    reader.answer()
    for number in range(3):
        server.process.stdin.write(f'{{"n":{number}}}\nnonsense\n')
        server.process.stdin.flush()
        assert reader.read_exactly(8) == b'{"n":%d}\n' % number
    server.process.stdin.close()
    assert reader.read_all() == b""
    assert server.wait() == 0
    assert server.says("3 of 6 lines are not events")


@pytest.mark.parametrize("options", [(), ("--loop",)])
def test_a_file_without_any_event_ends_and_says_what_is_needed(command: str, tmp_path, options) -> None:
    """Also with --loop: a signal must end the search for the first event."""
    file = tmp_path / "array.json"
    file.write_text('[{"n": 1},\n1]\n')
    given = [command, "--from-file", str(file), "--stdout", "--rate", "max", *options]
    done = subprocess.run(given, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
    assert "2 of 2 lines are not events" in done.stderr
    assert "jq" in done.stderr


def test_options_of_a_file_need_one(command: str) -> None:
    for options, word in (
        (["--loop"], "--from-file"),
        (["--from-file", "-", "--loop"], "second time"),
        (["--from-file", str(OLD), "--scenario", "log-cleared"], "--generated-rate"),
        (["--from-file", "/no/such/file"], "/no/such/file"),
    ):
        done = subprocess.run([command, "--port", "0", *options], capture_output=True, text=True, timeout=60)
        assert done.returncode in (1, 2)
        assert word in done.stderr
        assert "Traceback" not in done.stderr
