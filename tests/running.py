"""Starts and stops the real stack, producer and jobs for tests, through the public commands."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from flink_client import Answer, FlinkClient

from kafka_setup.changes.apply import ApplySettings, apply
from kafka_setup.topology.file import default_topology_text, parse_topology, renamed_topics
from local_stack import shell_environment
from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.cluster import flink_run
from local_stack.layout import REPOSITORY, Stack, load_stack

BIN = Path(sys.executable).parent
# For a cluster inside a script, as WIN_EVENT_JVM_OPTIONS is for that of a stack.
QUICK_JVM = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
JOB = REPOSITORY / "flink_bridge" / "job.py"
# Seconds for whatever a real server does: on a busy machine, with four processes of tests, a TaskManager once
# took more than 60 to start.
PATIENCE = 240.0


def _own_ports() -> Iterator[int]:
    """500 ports below those that the kernel picks, again and again, for this process alone.

    It listens on the port before them as long as it lives, so no other process of a test session, or of
    another session, takes the same ones.
    """
    for first in range(20_000, 32_500, 500):
        with suppress(OSError), socket.create_server(("", first)):
            yield from itertools.cycle(range(first + 1, first + 500))
    raise AssertionError("25 processes use the ports of the tests already")


_PORTS = _own_ports()


def free_ports(count: int) -> list[int]:
    """Ports in a row that nobody listens on; they stay free until a server takes them, seconds later.

    No connection and no server with port 0 gets them in between, and none is given out twice.
    """
    while True:
        ports = [next(_PORTS) for _ in range(count)]
        with ExitStack() as held, suppress(OSError):
            for port in ports:
                held.enter_context(socket.create_server(("", port)))
            if ports[-1] - ports[0] == count - 1:
                return ports


def wait_until(
    condition: Callable[[], Any],
    what: str,
    seconds: float = PATIENCE,
    told: Callable[[], object] = str,
) -> Any:
    """The first true value of `condition`; AssertionError with `what` and `told()` if it never comes."""
    deadline = time.monotonic() + seconds
    while True:
        begin = time.monotonic()
        if value := condition():
            return value
        now = time.monotonic()
        assert now < deadline, f"not within {seconds:.0f} s: {what}\n{told()}"
        # To run a command or to read a topic takes the processor from what is waited for.
        time.sleep(min(max(0.1, 2 * (now - begin)), 1.5))


def run(*command: str | Path, env: dict[str, str] | None = None, **options: Any) -> Any:
    """Run a command of this toolkit to its end; stdout and stderr are text."""
    words = [str(word) for word in command]
    return subprocess.run(
        words, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False, **options
    )


def renamed_topology(suffix: str, *, users: bool = False) -> str:
    """The shipped topology with `suffix` behind the name of every topic, and of every user if so wished."""
    text = default_topology_text()
    shipped = parse_topology(text)
    text = renamed_topics(text, {topic.name: f"{topic.name}{suffix}" for topic in shipped.topics})
    names = "|".join(user.name for user in shipped.users) if users else "$."
    return re.sub(rf"^  ({names}):", rf"  \1{suffix}:", text, flags=re.MULTILINE)


def of_the_bridge(text: str) -> str:
    """The part of the topology for the bridge's two topics and three users, with its comments.

    `check` tries every operation of every user on every topic: with all of them it takes half a minute.
    """
    topics, _, rest = text.partition("  # Results.")
    head, *users = re.split(r"^(?=  \S+:$)", rest[rest.index("# Users log in") :], flags=re.MULTILINE)
    kept = [user for user in users if user.startswith(("  bridge", "  reader", "  admin"))]
    lines = (topics + head + "".join(kept)).splitlines()
    return "\n".join(line for line in lines if "{topic: [" not in line or "events_processed" in line) + "\n"


@dataclass
class RunningStack:
    """A stack on free ports in its own folder."""

    stack: Stack
    environment: dict[str, str]
    _client: FlinkClient | None = None

    @classmethod
    def at(cls, folder: Path) -> RunningStack:
        jars = os.environ.get("WIN_EVENT_JAR_DIR") or str(REPOSITORY / ".stack" / "jars")
        environment = {"WIN_EVENT_STACK_DIR": str(folder), "WIN_EVENT_JAR_DIR": jars}
        return cls(Stack(folder), environment)

    def up(self, *options: str) -> None:
        result = run(BIN / "win-event-stack", "up", *options, env=self.environment)
        assert result.returncode == 0, result.stderr
        self.stack = load_stack(self.stack.directory)

    def down(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        result = run(BIN / "win-event-stack", "down", env=self.environment)
        assert result.returncode == 0, result.stderr

    def shell(self, user: str = "bridge") -> dict[str, str]:
        """The variables of `win-event-stack env`, logged in as `user`."""
        path = f"{self.stack.bin}:{BIN}:{os.environ['PATH']}"
        login = {"KAFKA_USERNAME": user, "KAFKA_PASSWORD_FILE": str(self.stack.secrets / user)}
        return {**self.environment, **shell_environment.exports(self.stack), **login, "PATH": path}

    def create_topics(
        self, suffix: str, *, with_results: bool = False, partitions: int | None = None, keep: bool = False
    ) -> tuple[str, str]:
        """A fresh pair of topics with the permissions that the shipped topology gives; their names.

        With `with_results` also those of all results. `partitions`: as the topology says, unless told.
        `keep`: Kafka deletes no event, however old its timestamp is.
        """
        topology = parse_topology(renamed_topology(f"_{suffix}"))
        names = (f"events_processed_{suffix}", f"events_rejected_{suffix}")
        wanted = tuple(t for t in topology.topics if with_results or t.name in names)
        if partitions:
            wanted = tuple(replace(topic, partitions=partitions) for topic in wanted)
        if keep:
            wanted = tuple(replace(t, config={**t.config, "retention.ms": "-1"}) for t in wanted)
        topology = replace(topology, topics=wanted)
        # The users exist already; their further permissions on these topics are all that is new. Without
        # passwords nobody's login is tried, which would take two seconds.
        login = kafka_objects.connection(self.stack, SUPER_USER)
        results = apply(ApplySettings(topology, login))
        failed = [row for row in results if row.failed]
        assert not failed, failed
        return names

    def submit(self, *options: str, **more: Any) -> Job:
        """As flink_run(), the bridge if `more` names no program; asserts that the cluster accepted it."""
        result = self.flink_run(*options, **more)
        job_id = flink_run.job_id(result.stdout)
        assert job_id, result.stdout + result.stderr
        return Job(self, job_id, result.stdout + result.stderr)

    def told(self, program: str, *options: str, user: str = "bridge", **variables: str) -> Answer:
        """What `program`/job.py answers; one client of Flink runs it for all tests of this stack."""
        if self._client is None:
            flink = self.stack.bin / "flink"
            self._client = FlinkClient(flink, self.stack.directory, self.shell())
        return self._client.call(program, options, {**self.shell(user), **variables})

    def submit_shared(
        self, *options: str, user: str = "bridge", program: str = "flink_bridge", **variables: str
    ) -> Job:
        """As submit(), but by the client that all tests share, so without options of Flink."""
        answer = self.told(program, *options, user=user, **variables)
        job_id = flink_run.job_id(answer.text)
        assert job_id, answer.text
        assert (answer.code, answer.text.count("JobID")) == (0, 1), answer.text
        return Job(self, job_id, answer.text)

    def flink_run(
        self,
        *options: str,
        user: str = "bridge",
        flink_options: Sequence[str] = (),
        program: Path = JOB,
        **variables: str,
    ) -> Any:
        command = flink_run.command(program, options, flink_options, flink=self.stack.bin / "flink")
        return run(*command, env={**self.shell(user), **variables}, cwd=self.stack.directory)

    def rest(self, path: str, method: str = "GET") -> Any:
        request = Request(f"{self.stack.flink_url}{path}", method=method)
        with urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def verify(self, topic: str, *options: str, user: str = "reader") -> Any:
        """`win-event-verify --json` over a topic: its report."""
        command: tuple[str | Path, ...] = (BIN / "win-event-verify", "--json", "--topic", topic, *options)
        result = run(*command, env=self.shell(user))
        assert result.stdout, result.stderr
        return json.loads(result.stdout)


@dataclass
class Job:
    """`submission`: what `flink run` printed."""

    running: RunningStack
    job_id: str
    submission: str = ""
    all_of_this_file: ClassVar[list[Job]] = []

    def __post_init__(self) -> None:
        self.all_of_this_file.append(self)

    def state(self) -> str:
        return str(self.running.rest(f"/jobs/{self.job_id}")["state"])

    def tasks_running(self) -> bool:
        """Whether all tasks run: the state of the job is RUNNING already before that."""
        found = self.running.rest(f"/jobs/{self.job_id}")
        return found["state"] == "RUNNING" and all(v["status"] == "RUNNING" for v in found["vertices"])

    def wait_until_running(self, seconds: float = PATIENCE) -> Job:
        wait_until(self.tasks_running, f"job {self.job_id} runs", seconds, told=self.failures)
        return self

    def failures(self) -> str:
        """The stack traces of the failures that the cluster remembers; empty if there was none."""
        entries = self.running.rest(f"/jobs/{self.job_id}/exceptions")["exceptionHistory"]["entries"]
        return "\n".join(entry["stacktrace"] for entry in entries)

    def reason(self) -> str:
        """The innermost cause of the newest failure in one line; empty if there was none."""
        entries = self.running.rest(f"/jobs/{self.job_id}/exceptions")["exceptionHistory"]["entries"]
        lines = entries[0]["stacktrace"].splitlines() if entries else []
        causes = [line for line in lines if line.strip() and not line.startswith("\t")]
        return causes[-1].removeprefix("Caused by: ") if causes else ""

    def restored(self) -> int:
        """How often it continued from a checkpoint. (Flink's metric of the restarts may be a minute old.)"""
        return int(self.running.rest(f"/jobs/{self.job_id}/checkpoints")["counts"]["restored"])

    @property
    def is_over(self) -> bool:
        return self.state() in ("CANCELED", "FAILED", "FINISHED")

    def cancel(self) -> None:
        with suppress(HTTPError):  # it is gone already
            self.running.rest(f"/jobs/{self.job_id}?mode=cancel", method="PATCH")
        wait_until(lambda: self.is_over, f"job {self.job_id} is cancelled")


class RunningProducer:
    """win-event-producer on a free port; `options` are its own."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        port: int = 0,
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.log = folder / f"producer-{time.monotonic_ns()}.log"
        command = [
            *prefix,
            str(BIN / "win-event-producer"),
            "--port",
            str(port or free_ports(1)[0]),
            *options,
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **(env or {})}
            )
        try:
            self.port = int(wait_until(self._listening, "the producer listens", told=self.text))
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def _listening(self) -> str | None:
        assert self.process.poll() is None, f"the producer stopped: {self.text()}"
        match = re.search(r"listening on [\d.]+:(\d+)", self.text())
        return match[1] if match else None

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(60)


@contextmanager
def repeated(step: Callable[[], object], pause: float) -> Iterator[None]:
    """During the block, another thread calls `step` repeatedly, with `pause` seconds before each call."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(pause):
            step()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
