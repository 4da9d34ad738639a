"""The command as a user sees it: --stdout, history, status, help, mistakes."""

import json
import socket
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest


def run(command: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([command, *options], capture_output=True, text=True, timeout=60)


SEEDED = ("--stdout", "--seed", "7", "--start-time", "2026-01-05")


def test_stdout_is_the_same_whatever_the_rate(command: str) -> None:
    fast = run(command, *SEEDED, "--rate", "max", "--count", "1500")
    slow = run(command, *SEEDED, "--rate", "3000", "--count", "1500")
    assert fast.returncode == slow.returncode == 0
    assert fast.stdout == slow.stdout
    assert len(fast.stdout.splitlines()) == 1500
    assert "asked 3000 events/s, achieved" in slow.stderr


def test_a_closed_pipe_ends_it_quietly(command: str) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} --stdout --rate max | head -2"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_history_comes_first_and_ends_before_now(command: str) -> None:
    done = run(command, "--stdout", "--backfill", "2m", "--hosts", "3", "--count", "600", "--rate", "max")
    times = [json.loads(line)["timestamp"] for line in done.stdout.splitlines()]
    assert times == sorted(times)
    assert len({time[:19] for time in times}) > 50


def test_the_status_tells_asked_and_achieved(start_producer) -> None:
    server = start_producer("--rate", "200", "--count", "100")
    assert server.says("asked 200 events/s, achieved")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--rate", "0"), "'0' is neither a number of events per second above 0 nor max"),
        (("--scenario", "heist"), "no scenario 'heist'; known: brute-force"),
        (("--backfill", "soon"), "'soon' is not a duration; write 90s"),
        (("--channel-mix", "1/2"), "is not three shares"),
        (("--tls-client-ca", __file__), "both --tls-cert and --tls-key"),
        (("--profile", "laptop"), "is not one of 'workstation'"),
        (("--stdout", "--http-port", "0"), "--stdout serves no clients"),
    ],
)
def test_mistakes_are_named(command: str, options: tuple[str, ...], words: str) -> None:
    done = run(command, "--port", "0", *options)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named(command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(command, "--port", "0", "--http-port", port)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}: Address already in use; try another --port or --http-port" in done.stderr


def test_a_broken_catalogue_is_named_with_its_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "system.yaml").write_text("channel: System\nkeywords: 1\nevents:\n - {id: 70000, message: x}")
    done = run(command, "--catalogue", str(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path}/system.yaml:4: id: expected a whole number" in done.stderr


def test_help_has_examples_and_says_that_the_environment_works_too(command: str) -> None:
    done = run(command, "--help")
    assert "win-event-producer --rate 1000 --port 9999" in done.stdout
    assert "WIN_EVENT_PRODUCER_RATE" in done.stdout


def test_the_version_is_that_of_the_package(command: str) -> None:
    done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60)
    assert version("win-event-bridge") in done.stdout
