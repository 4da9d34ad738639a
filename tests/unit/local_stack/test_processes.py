from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
from running import wait_until

from local_stack import processes
from local_stack.layout import Stack

pytestmark = pytest.mark.programs

SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, run_id=f"test-{os.getpid()}-{tmp_path.name}")


def test_stop_ends_what_was_started_and_forgets_it(stack: Stack, tmp_path: Path) -> None:
    daemon = processes.start(stack, "sleeper", SLEEP, {}, tmp_path)
    assert processes.running(stack, "sleeper") == daemon

    assert processes.stop_all(stack) == ["sleeper"]

    assert daemon.process() is None
    assert processes.recorded(stack) == []


def test_a_reused_pid_is_left_alone(stack: Stack, tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP) as impostor:  # without the mark of the stack
        try:
            started = processes.start_time(impostor.pid) - 3600
            gone = processes.Daemon("gone", impostor.pid, started, str(tmp_path / "gone.log"))
            record = tmp_path / "run" / "gone.json"
            record.parent.mkdir()
            record.write_text(json.dumps(asdict(gone)))

            assert processes.stop_all(stack) == []

            assert impostor.poll() is None
            assert not record.exists()
        finally:
            impostor.kill()


def test_a_step_of_the_clock_changes_nothing(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psutil adds the time of the machine's start, which the kernel moves with the clock."""
    daemon = processes.start(stack, "sleeper", SLEEP, {}, tmp_path)
    began = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: began + 3600)
    assert psutil.Process(daemon.pid).create_time() > time.time() + 3000
    assert processes.running(stack, "sleeper") == daemon
    assert processes.stop_orphans(stack, older_than=-1) == []
    monkeypatch.undo()
    assert processes.stop_all(stack) == ["sleeper"]


def test_a_stopped_process_is_stopped_for_good(stack: Stack, tmp_path: Path) -> None:
    daemon = processes.start(stack, "sleeper", SLEEP, {}, tmp_path)
    os.kill(daemon.pid, signal.SIGSTOP)
    assert processes.stop_all(stack) == ["sleeper"]
    assert daemon.process() is None


def test_a_process_that_the_launcher_had_no_time_to_record_is_found(stack: Stack, tmp_path: Path) -> None:
    daemon = processes.start(stack, "sleeper", SLEEP, {}, tmp_path)
    (tmp_path / "run" / "sleeper.json").unlink()

    assert processes.stop_all(stack) == [f"stray process {daemon.pid}"]
    assert daemon.process() is None


def test_a_process_whose_end_nobody_takes_note_of_has_ended(stack: Stack, tmp_path: Path) -> None:
    """In a container, the first process may never wait for the children that it inherits."""
    parent = f"import subprocess, time; print(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(300)"
    careless = processes.start(stack, "careless", [sys.executable, "-c", parent], {}, tmp_path)
    pid = int(wait_until(Path(careless.log).read_text, "its child runs"))
    child = replace(careless, name="child", pid=pid, started=processes.start_time(pid))

    assert processes.stop(stack, child, grace_seconds=3600)

    assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    processes.stop_all(stack)


def test_daemons_end_together_and_the_broker_after_them(stack: Stack, tmp_path: Path) -> None:
    """`first` ends only after `second` was asked to end; the broker records whether it had ended."""

    def start(name: str, *at_end: str) -> processes.Daemon:
        body = "\n ".join(("def end(*_):", *at_end, "sys.exit()"))
        ready = "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(300)"
        code = f"import pathlib, signal, sys, time\n{body}\n{ready}"
        return processes.start(stack, name, [sys.executable, "-c", code], {}, tmp_path)

    daemons = [
        start("kafka-1", "print(pathlib.Path('first.ended').exists(), flush=True)"),
        start(
            "first",
            "while not pathlib.Path('second.asked').exists(): time.sleep(0.01)",
            "pathlib.Path('first.ended').touch()",
        ),
        start("second", "pathlib.Path('second.asked').touch()"),
    ]
    wait_until(lambda: all("ready" in Path(each.log).read_text() for each in daemons), "all listen")

    assert processes.stop_all(stack, grace_seconds=3600) == ["first", "second", "kafka-1"]

    assert Path(daemons[0].log).read_text().split() == ["ready", "True"]


def test_a_daemon_that_another_one_started_again_is_not_stopped_with_it(stack: Stack, tmp_path: Path) -> None:
    """The watchdog starts such daemons: if they are killed with it, a broker has no time to close its log."""
    child_code = f"import subprocess; subprocess.run({SLEEP!r})"
    code = f"import subprocess; subprocess.run({[sys.executable, '-c', child_code]!r})"
    watchdog = processes.start(stack, "watchdog", [sys.executable, "-c", code], {}, tmp_path)
    child, worker = wait_until(lambda: _two(psutil.Process(watchdog.pid).children(recursive=True)), "all run")
    again = replace(watchdog, name="kafka-1", pid=child.pid, started=processes.start_time(child.pid))
    (tmp_path / "run" / "kafka-1.json").write_text(json.dumps(asdict(again)))
    assert processes.family(psutil.Process(watchdog.pid), {child.pid}) == [psutil.Process(watchdog.pid)]
    assert processes.family(child, {watchdog.pid, child.pid}) == [child, worker]

    assert processes.stop(stack, watchdog)

    assert again.process() is not None
    assert processes.stop_all(stack) == ["kafka-1"]
    assert again.process() is None


def _two(found: list[psutil.Process]) -> list[psutil.Process]:
    return found if len(found) == 2 else []


def test_children_whose_parent_was_killed_are_found(stack: Stack, tmp_path: Path) -> None:
    parent = [sys.executable, "-c", f"import subprocess; subprocess.run({SLEEP!r})"]
    daemon = processes.start(stack, "parent", parent, {}, tmp_path)
    (child,) = wait_until(lambda: psutil.Process(daemon.pid).children(), "the child runs")
    os.kill(daemon.pid, signal.SIGKILL)

    processes.stop_all(stack)

    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_only_orphans_are_stopped_while_others_run(stack: Stack, tmp_path: Path) -> None:
    parent = [sys.executable, "-c", f"import subprocess; subprocess.run({SLEEP!r})"]
    killed, alive = (processes.start(stack, name, parent, {}, tmp_path) for name in ("killed", "alive"))
    orphan, child = (
        wait_until(lambda pid=pid: psutil.Process(pid).children(), "the child runs")[0]
        for pid in (killed.pid, alive.pid)
    )
    os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: killed.process() is None, "the parent is dead")

    assert processes.stop_orphans(stack) == []  # they are young
    assert processes.stop_orphans(stack, older_than=0.0) == [orphan.pid]

    assert alive.process() is not None
    assert child.is_running()
    processes.stop_all(stack)


def test_a_busy_port_is_named_with_its_holder_and_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(processes.StartError) as caught:
            processes.check_port_free(port, "Kafka", "--kafka-port")
    text = str(caught.value)
    assert f"port {port} (Kafka) is busy" in text
    assert f"pid {os.getpid()}" in text
    assert "--kafka-port" in text


def test_a_daemon_that_dies_at_start_is_told_with_its_log(stack: Stack, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such luck')"]
    daemon = processes.start(stack, "dying", command, {}, tmp_path)
    with pytest.raises(processes.StartError, match="dying stopped while it was starting") as caught:
        processes.wait_until_listening(daemon, 1)
    assert caught.value.log is not None
    assert caught.value.log.read_text() == "no such luck\n"
    processes.stop_all(stack)


def test_no_process_of_ours_hears_a_ctrl_c(stack: Stack, tmp_path: Path) -> None:
    daemon = processes.start(stack, "sleeper", SLEEP, {}, tmp_path)
    assert os.getsid(daemon.pid) == daemon.pid
    processes.stop_all(stack)


def test_a_daemon_is_asked_to_stop_with_the_signal_that_it_wants(stack: Stack, tmp_path: Path) -> None:
    telling = "import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: sys.exit(print('INT')));"
    command = [sys.executable, "-c", f"{telling} print('ready', flush=True); time.sleep(300)"]
    daemon = processes.start(stack, "sleeper", command, {}, tmp_path, signal.SIGINT)
    wait_until(lambda: "ready" in Path(daemon.log).read_text(), "it listens to signals")
    processes.stop_all(stack)
    assert Path(daemon.log).read_text().split() == ["ready", "INT"]
