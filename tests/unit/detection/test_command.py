"""The command over a pipe: what it writes when a signal ends it, and when its reader goes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from unit.detection.rule_texts import event

pytestmark = pytest.mark.programs

COMMAND = (sys.executable, "-m", "detection.cli")
BURST = b"".join(event(n, IpAddress="10.0.0.9", TargetUserName="m.ito", record_id=n + 1) for n in range(40))
CLEARED = b'{"timestamp":"2026-01-05T12:00:40Z","source":"Security","event_id":1102,"computer":"WS-1",'
CLEARED += b'"provider":"Microsoft-Windows-Eventlog","record_id":50,"data":{}}\n'


@pytest.fixture(params=["json", "pretty"])
def running(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*COMMAND, "--output", request.param, "-"], **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("running", ["json"], indirect=True)
def test_a_signal_ends_the_lines_and_open_alerts_are_written(
    running: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    assert running.stdin
    assert running.stdout
    running.stdin.write(BURST + CLEARED)
    running.stdin.flush()
    first = json.loads(running.stdout.readline())
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert [first["title"], *(json.loads(line)["title"] for line in out.splitlines())] == [
        "Security log cleared",
        "Passwords guessed for one account",
    ]
    assert running.returncode == 130
    assert b"41 events, 2 alerts" in err


def test_a_reader_that_goes_is_no_error(running: subprocess.Popen[bytes]) -> None:
    assert running.stdout
    running.stdout.close()
    running.stdout = None
    _, err = running.communicate(CLEARED * 2_000, timeout=60)
    assert running.returncode == 0, err
    assert b"roken pipe" not in err
    assert b"Traceback" not in err
