"""Starts daemons, records them, and stops exactly those: by pid, start time and a mark in the environment."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

import psutil
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from local_stack.layout import Stack
from toolkit.addresses import LOOPBACK
from toolkit.atomic_file import write_atomically

MARK = "WIN_EVENT_STACK_RUN"  # in the environment of every process of a stack, and of their children
GRACE_SECONDS = (
    60.0  # until SIGKILL, after which a broker would have to repair its log; as in docker-compose.yml
)


class StartError(RuntimeError):
    """A daemon did not start; the text says which and why, `log` is its log file."""

    def __init__(self, text: str, log: Path | None = None) -> None:
        super().__init__(text)
        self.log = log


@dataclass(frozen=True)
class Daemon:
    name: str
    pid: int
    started: float  # see start_time
    log: str
    stop_signal: int = signal.SIGTERM  # the signal for an orderly stop

    def process(self) -> psutil.Process | None:
        """The running process, or None if it has ended (or another process has its pid now)."""
        try:
            process = psutil.Process(self.pid)
            same = start_time(self.pid) == self.started
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def start_time(pid: int) -> float:
    """Seconds from the start of the machine to the start of the process. Raises psutil.NoSuchProcess.

    No step of the clock changes this; the time of day at which a process started moves with the clock.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    return int(text.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")  # proc(5): field 22


def start(
    stack: Stack,
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    stop_signal: int = signal.SIGTERM,
) -> Daemon:
    """Start a daemon in a separate session (a Ctrl-C at the terminal does not reach it)."""
    stack.logs.mkdir(parents=True, exist_ok=True)
    log = stack.logs / f"{name}.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            env={**environment, MARK: stack.run_id},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    child.returncode = 0  # it runs longer than this program, on purpose; without this, Popen would warn
    daemon = Daemon(name, child.pid, start_time(child.pid), str(log), stop_signal)
    write_atomically(_records(stack) / f"{name}.json", json.dumps(asdict(daemon)))
    return daemon


def recorded(stack: Stack) -> list[Daemon]:
    files = sorted(_records(stack).glob("*.json"))
    return [Daemon(**json.loads(file.read_text(encoding="utf-8"))) for file in files]


def running(stack: Stack, name: str) -> Daemon | None:
    return next((d for d in recorded(stack) if d.name == name and d.process()), None)


def is_recorded(stack: Stack, name: str) -> bool:
    """Whether the daemon was started and not stopped since; it may have died."""
    return any(daemon.name == name for daemon in recorded(stack))


@contextlib.contextmanager
def exclusive(stack: Stack, seconds: float = 300.0) -> Iterator[None]:
    """Let only one process at a time start or stop daemons of a stack.

    Raises StartError if another takes too long.
    """
    stack.directory.mkdir(parents=True, exist_ok=True)
    with (stack.directory / ".lock").open("w") as lock:
        wait_for(lambda: _try_lock(lock), seconds, f"another command is still working in {stack.directory}")
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def stop_all(stack: Stack, keep: Collection[str] = (), grace_seconds: float = GRACE_SECONDS) -> list[str]:
    """Stop what this stack started, Flink before the broker, except the daemons named in `keep`.

    Returns the names of what was running.
    """
    names = []
    for _, together in groupby(sorted(recorded(stack), key=_stop_order), key=_stop_order):
        daemons = [daemon for daemon in together if daemon.name not in keep]
        names += _stop_daemons(stack, daemons, grace_seconds)
    if not keep:
        # Processes that a crash left unrecorded, and Python workers whose TaskManager was killed.
        strays = _stop(dict.fromkeys(_marked(stack), signal.SIGTERM), grace_seconds)
        names += [f"stray process {process.pid}" for process in strays]
    return names


def stop_orphans(stack: Stack, older_than: float = 10.0) -> list[int]:
    """Stop processes that killed daemons have left behind; returns their pids.

    A process younger than `older_than` seconds may be a daemon that is starting and not recorded yet.
    """
    alive = [process for daemon in recorded(stack) if (process := daemon.process())]
    kept = {member.pid for process in alive for member in (process, *process.children(recursive=True))}
    limit = time.clock_gettime(time.CLOCK_BOOTTIME) - older_than
    orphans = [p for p in _marked(stack) if p.pid not in kept and _started_before(p.pid, limit)]
    return [process.pid for process in _stop(dict.fromkeys(orphans, signal.SIGTERM), grace_seconds=1.0)]


def _started_before(pid: int, limit: float) -> bool:
    try:
        return start_time(pid) < limit
    except psutil.NoSuchProcess:
        return False


def _stop_order(daemon: Daemon) -> tuple[int, str]:
    """The order: first the daemons that would restart others; the brokers last and one by one.

    So the job can still flush its records.
    """
    if daemon.name == "watchdog":
        return 0, ""
    return (2, daemon.name) if re.fullmatch(r"kafka-\d+", daemon.name) else (1, "")


def stop(stack: Stack, daemon: Daemon, grace_seconds: float = GRACE_SECONDS) -> bool:
    """Stop one daemon and delete its record; False if it was not running any more."""
    return bool(_stop_daemons(stack, [daemon], grace_seconds))


def _stop_daemons(stack: Stack, daemons: Iterable[Daemon], grace_seconds: float) -> list[str]:
    """Stop daemons together and delete their records; returns the names of those that were running."""
    asked = {process: daemon for daemon in daemons if (process := daemon.process())}
    others = {daemon.pid for daemon in recorded(stack)}
    stopped = _stop({process: daemon.stop_signal for process, daemon in asked.items()}, grace_seconds, others)
    for daemon in daemons:
        (_records(stack) / f"{daemon.name}.json").unlink(missing_ok=True)
    return [asked[process].name for process in stopped]


def no_stack(stack: Stack) -> StartError:
    """The error of a command that needs a stack, if there is none."""
    return StartError(f"there is no stack in {stack.directory}. First: win-event-stack up")


def wait_until_listening(daemon: Daemon, port: int, seconds: float = 300.0) -> None:
    """Wait until the daemon accepts connections. Raises StartError if it dies or takes too long.

    A broker that was killed first reads gigabytes of its log; on a busy machine, this may take minutes.
    """

    def answers() -> bool:
        if daemon.process() is None:
            raise StartError(f"{daemon.name} stopped while it was starting", Path(daemon.log))
        with socket.socket() as probe:
            probe.settimeout(1)  # it is asked again until `seconds` are over
            return probe.connect_ex((LOOPBACK, port)) == 0

    wait_for(answers, seconds, f"{daemon.name} is not listening on port {port}", Path(daemon.log))


def wait_for(condition: Callable[[], bool], seconds: float, complaint: str, log: Path | None = None) -> None:
    """Poll `condition` until it is true; raises StartError with the complaint after `seconds`."""
    polling = Retrying(
        stop=stop_after_delay(seconds), wait=wait_fixed(0.2), retry=retry_if_result(lambda done: not done)
    )
    try:
        polling(condition)
    except RetryError:
        raise StartError(f"{complaint} after {seconds:.0f} s", log) from None


def check_port_free(port: int, purpose: str, option: str) -> None:
    """Raise StartError, with the process that uses the port, if the port is busy."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise StartError(
                f"port {port} ({purpose}) is busy{_holder(port)}. Stop that program, or choose another port "
                f"with {option}."
            ) from None


def free_port(preferred: int) -> int:
    """`preferred` if it is free, or else one that the system selects."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, preferred))
        except OSError:
            probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and port in connection.laddr
            if listens and connection.pid:
                return f": held by pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return ""


def _marked(stack: Stack) -> list[psutil.Process]:
    def has_mark(process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == stack.run_id
        except (psutil.Error, OSError):
            return False

    return [p for p in psutil.process_iter() if has_mark(p)] if stack.run_id else []


def family(process: psutil.Process, others: Collection[int]) -> list[psutil.Process]:
    """The process and its children, such as the Python workers of a TaskManager. Raises psutil.NoSuchProcess.

    `others`: pids of daemons. One that the watchdog has started again is its child, and stands for itself.
    """
    members, left_out = [process], set(others)
    for child in process.children(recursive=True):  # parents come before their children
        if {child.pid, child.ppid()} & left_out - {process.pid}:
            left_out.add(child.pid)
        else:
            members.append(child)
    return members


def _stop(
    asked: Mapping[psutil.Process, int], grace_seconds: float, others: Collection[int] = ()
) -> list[psutil.Process]:
    """Send each process its signal for an orderly stop, later SIGKILL. Returns those that were running."""
    families: dict[psutil.Process, list[psutil.Process]] = {}
    for process, politely in asked.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            members = family(process, others)
            process.send_signal(politely)
            process.resume()  # a process stopped with SIGSTOP handles SIGTERM only after SIGCONT
            families[process] = members
    _wait_until_ended(families, grace_seconds)
    members = [member for each in families.values() for member in each]
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    _wait_until_ended(members, 5.0)
    return list(families)


def _wait_until_ended(them: Iterable[psutil.Process], seconds: float) -> None:
    """Like psutil.wait_procs, but without waiting until a parent has reaped them; some parents never do."""
    deadline = time.monotonic() + seconds
    while not all(map(_has_ended, them)) and time.monotonic() < deadline:
        time.sleep(0.05)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _records(stack: Stack) -> Path:
    return stack.directory / "run"
