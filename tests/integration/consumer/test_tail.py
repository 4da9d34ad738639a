"""win-event-tail as a command, against the real producer and against servers that misbehave."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager

import pytest
import trustme
from feeding import Feeder
from running import BIN, free_ports, run, wait_until

TAIL = BIN / "win-event-tail"
EVENT = b'{"timestamp":"2026-11-21T09:28:24.1778590Z","level":"Error","source":"System","event_id":41,' \
        b'"event_type":"Error","record_id":%d,"computer":"WS-1.corp.example","message":"m"}'  # fmt: skip


def tail(port, *options, **how):
    return run(TAIL, f"127.0.0.1:{port}", *options, timeout=60, **how)


def events(*ids):
    return b"".join(EVENT % number + b"\n" for number in ids)


def ids(text):
    return [json.loads(line)["record_id"] for line in text.splitlines()]


@contextmanager
def started(*words, **how):
    """A tail in the background; it is killed if the test does not end it."""
    command = [str(TAIL), *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_bytes_are_those_of_the_log(producer):
    server = producer("--rate", "max", "--count", "3000", "--wait-for-clients", "2", "--seed", "5")
    with started("--port", server.port, "-n", 3000) as first:
        second = tail(server.port, "-n", "3000", "--from-start")
        assert second.returncode == 0
        assert first.communicate(timeout=60)[0] == second.stdout
    assert len(second.stdout.splitlines()) == 3000


def test_it_reconnects_and_says_so_once():
    with Feeder([b"\n" + events(1, 2), b"", b"", b"\n" + events(3), b"\n" + events(4)]) as feeder:
        result = tail(feeder.port, "-n", "4")
        assert ids(result.stdout) == [1, 2, 3, 4]
        assert feeder.connections == 5
    complaints = result.stderr.splitlines()
    assert [("trying again" in line, "back after" in line) for line in complaints] == [
        (True, False), (False, True), (True, False), (False, True),
    ], result.stderr  # fmt: skip


def test_it_waits_for_a_server_that_is_not_there_yet():
    (port,) = free_ports(1)
    with started(f"127.0.0.1:{port}", "-n", 1) as process:
        assert "Connection refused; trying again" in process.stderr.readline()
        with socket.create_server(("127.0.0.1", port)) as server:
            client, _ = server.accept()
            with client:
                client.sendall(events(1))
                assert ids(process.communicate(timeout=60)[0]) == [1]
    assert process.returncode == 0


def test_no_reconnect_ends_with_the_stream_or_fails_at_once():
    with Feeder([b"\n" + events(1, 2), b""]) as feeder:
        result = tail(feeder.port, "--no-reconnect")
        assert (result.returncode, ids(result.stdout), result.stderr) == (0, [1, 2], "")
    (port,) = free_ports(1)
    result = tail(port, "--no-reconnect")
    assert result.returncode == 1
    assert result.stderr == f"win-event-tail: 127.0.0.1:{port}: Connection refused\n"
    with Feeder([events(1), b""]) as feeder:
        result = tail(feeder.port, "--no-reconnect", "-n", "2")
        assert result.returncode == 1
        assert "ended after 1 of 2 events" in result.stderr


def test_garbage_is_shown_and_overlong_and_torn_lines_are_counted():
    stream = events(1) + b"\xff\xfe not json\n" + b"x" * 70_000 + b"\n[1]\n" + events(2) + b'{"torn'
    with Feeder([stream, b""]) as feeder:
        result = tail(feeder.port, "--no-reconnect", "-o", "pretty")
    assert [line[:9] for line in result.stdout.splitlines()] == [
        "09:28:24.",
        "not JSON:",
        "not JSON:",
        "09:28:24.",
    ]
    assert "1 lines over the limit skipped" in result.stderr
    assert "1 lines torn" in result.stderr
    assert result.returncode == 0


def test_a_filter_drops_garbage_and_what_does_not_match():
    other = EVENT.replace(b"System", b"Security") % 9 + b"\n"
    with Feeder([events(1) + b"garbage\n" + other + events(2), b""]) as feeder:
        result = tail(feeder.port, "--no-reconnect", "--source", "system", "--level", "error+")
    assert ids(result.stdout) == [1, 2]


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it():
    with Feeder([b"\xef\xbb\xbf" + events(1, 2), b""]) as feeder:
        result = tail(feeder.port, "--no-reconnect", "--level", "error")
    assert ids(result.stdout) == [1, 2]


def test_several_endpoints_are_merged():
    with Feeder([events(*range(1, 51))]) as first, Feeder([events(*range(51, 101))]) as second:
        endpoints = [f"127.0.0.1:{server.port}" for server in (first, second)]
        result = run(TAIL, *endpoints, "-n", "100", timeout=60)
    assert result.returncode == 0
    assert sorted(ids(result.stdout)) == list(range(1, 101))


def test_a_bookmark_continues_at_the_exact_event(producer, tmp_path):
    server = producer("--rate", "2000")
    options = ("--bookmark", str(tmp_path / "bookmark"), "--from-start")
    parts = [tail(server.port, "-n", count, *options).stdout for count in ("7", "1", "500")]
    whole = tail(server.port, "-n", "508", "--from-start").stdout
    assert "".join(parts) == whole


def test_a_bookmark_survives_interruptions(producer, tmp_path):
    server = producer("--rate", "3000")
    bookmark = tmp_path / "bookmark"
    output = tmp_path / "events.ndjson"
    for _ in range(3):
        size = output.stat().st_size if output.exists() else 0
        with output.open("ab") as file:
            command = [str(TAIL), f"127.0.0.1:{server.port}", "--bookmark", str(bookmark), "--from-start"]
            process = subprocess.Popen(command, stdout=file)
            wait_until(lambda size=size: output.stat().st_size > size + 100_000, "more events are written")
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
    lines = output.read_text().splitlines()
    assert lines == tail(server.port, "-n", str(len(lines)), "--from-start").stdout.splitlines()


def test_a_lost_log_is_told_and_strict_refuses_it(producer, tmp_path):
    bookmark = tmp_path / "bookmark"
    server = producer("--rate", "500")
    assert tail(server.port, "-n", "5", "--bookmark", bookmark, "--from-start").returncode == 0
    server.stop()
    other = producer("--rate", "500", port=server.port)
    strict = tail(other.port, "-n", "1", "--bookmark", bookmark, "--strict")
    assert (strict.returncode, strict.stdout) == (1, "")
    assert "cannot continue from there" in strict.stderr
    lenient = tail(other.port, "-n", "1", "--bookmark", bookmark)
    assert lenient.returncode == 0
    assert "it now has another log" in lenient.stderr


def test_a_server_without_resume_is_named():
    with Feeder([events(1, 2), b""]) as feeder:
        result = tail(feeder.port, "--from-start", "--no-reconnect")
    assert result.returncode == 1
    assert "cannot resume, it can be read without --bookmark and --from-start" in result.stderr


def test_a_closed_pipe_and_ctrl_c_are_quiet(producer):
    server = producer("--rate", "2000")
    command = f"{shlex.quote(str(TAIL))} 127.0.0.1:{server.port} | head -2 | wc -l"
    result = run("bash", "-o", "pipefail", "-c", command, timeout=60)
    assert (result.returncode, result.stdout.strip(), result.stderr) == (0, "2", "")
    with started(f"127.0.0.1:{server.port}") as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 130


def test_duration_and_stats(producer):
    server = producer("--rate", "500")
    result = tail(server.port, "--duration", "5", "--stats", "--from-start", "-o", "json")
    assert result.returncode == 0
    totals = json.loads(result.stdout)
    assert totals["events"] == sum(totals["levels"].values()) == sum(totals["sources"].values()) > 20
    assert totals["missing_record_ids"] == 0
    table = tail(server.port, "-n", "50", "--stats").stdout
    assert re.match(r"50 events in .* on average\n0 record ids missing\n", table)


def on_a_terminal(port, **environment):
    """The text of two events on a terminal of 100 columns."""
    controller, terminal = pty.openpty()
    with os.fdopen(controller, "rb", buffering=0) as screen:
        clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        process = subprocess.Popen(
            [str(TAIL), f"127.0.0.1:{port}", "-n", "2"],
            stdout=terminal, stderr=terminal, stdin=terminal,
            env=clean | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment,
        )  # fmt: skip
        os.close(terminal)
        text = b""
        while True:
            try:
                text += screen.read(4096)
            except OSError:  # the terminal's other end is closed
                break
        process.wait(60)
    return text.decode()


def test_a_terminal_gets_colours_unless_no_color(producer):
    server = producer("--rate", "50")
    assert "\x1b[" in on_a_terminal(server.port)
    plain = on_a_terminal(server.port, NO_COLOR="1")
    assert "\x1b[" not in plain
    assert all(len(line) <= 100 for line in plain.splitlines())
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} ", plain)


@contextmanager
def tls_server(context, payload):
    """Serves `payload` over TLS to every client that completes the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(client, server_side=True) as secure:
                        secure.sendall(payload)
                        secure.recv(1)
                except OSError:
                    client.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def test_tls_with_authority_and_client_certificate(tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("reader").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "reader.pem"))
    trust = ("--tls", "--tls-ca", str(tmp_path / "ca.pem"))
    with tls_server(context, events(1, 2)) as port:
        result = tail(port, "-n", "2", *trust, "--tls-cert", str(tmp_path / "reader.pem"))
        assert (result.returncode, ids(result.stdout)) == (0, [1, 2]), result.stderr
        refused = tail(port, "-n", "2", "--tls")
        assert refused.returncode == 1
        assert "its certificate is refused" in refused.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--level", "loud"),
        ("--grep", "("),
        ("--strict",),
        ("--fields", "a", "-o", "json"),
        ("a:0",),
        ("--tls-ca", "/"),
    ],
)
def test_wrong_usage_exits_2(options):
    result = run(TAIL, *options)
    assert (result.returncode, result.stdout) == (2, "")


def test_the_examples_of_its_help_run(producer, tmp_path):
    examples = re.findall(r"^ +(win-event-tail.*)$", run(TAIL, "--help").stdout, re.MULTILINE)
    assert len(examples) == 4
    server = producer("--rate", "2000", "--hosts", "2")
    for example in examples:
        command = example.replace("127.0.0.1:9999", f"127.0.0.1:{server.port}")
        command = command.replace("win-event-tail", "win-event-tail --count 3", 1)
        environment = {"WIN_EVENT_PORT": str(server.port), "PATH": f"{BIN}:{os.environ['PATH']}"}
        result = run("bash", "-c", command, cwd=tmp_path, env=environment, timeout=60)
        assert result.returncode == 0, result.stderr
        shown = result.stdout or (tmp_path / "events.ndjson").read_text()
        assert len(shown.splitlines()) == 3
