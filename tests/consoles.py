"""The real console as a process, its own topics, and records like those that the jobs write."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import Producer
from running import BIN, RunningProducer, RunningStack, run, wait_until

from kafka_setup.connection.session import QUIET_CLIENT
from local_stack.broker import kafka_objects

TOKEN = "known to two processes"
RESULTS = ("alerts", "events_late", "events_by_level", "events_by_level_5m", "top_5m", "logon_sessions")


class RunningConsole:
    """win-event-console as a process, logged in as `observer`; `url` without a slash at its end."""

    def __init__(self, log: Path, environment: dict[str, str], *options: str) -> None:
        self._log, self._environment, self._options = log, environment, options
        self.url = ""
        self.start()

    def start(self) -> None:
        """Start it on a free port; if it is started again, on the same port."""
        port = self.url.rpartition(":")[2] or "0"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(BIN / "win-event-console"), "--port", port, *self._options],
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
            )
        try:
            self.url = str(wait_until(self._listening, "the console listens"))
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _listening(self) -> str | None:
        assert self.process.poll() is None, f"the console stopped: {self.text()}"
        match = re.search(r"console on (http\S+)", self.text())
        return match[1] if match else None

    def text(self) -> str:
        return self._log.read_text(errors="replace")

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of /api/v1/`path`, which must be 200."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def services(self) -> dict[str, str]:
        return {each["name"]: each["state"] for each in self.get("status")["services"]}

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@dataclass
class Pipeline:
    """The shipped topics with a suffix. Their writers are the users that may write them."""

    broker: RunningStack
    suffix: str
    _writers: dict[str, Producer] = field(default_factory=dict)

    def topic(self, name: str) -> str:
        return f"{name}_{self.suffix}"

    @property
    def options(self) -> list[str]:
        """The options that give win-event-console the names."""
        results = [f"--result-topic={name}={self.topic(name)}" for name in RESULTS]
        names = {"--events-topic": "events_processed", "--rejected-topic": "events_rejected"}
        return [*results, *(f"{option}={self.topic(name)}" for option, name in names.items())]

    def writer(self, user: str) -> Producer:
        if user not in self._writers:
            login = kafka_objects.connection(self.broker.stack, user).client_settings()
            self._writers[user] = Producer({**login, **QUIET_CLIENT, "linger.ms": 5})
        return self._writers[user]

    def send(self, *lines: bytes | dict[str, Any]) -> None:
        """Events, as the bridge writes them."""
        for line in lines:
            value = line if isinstance(line, bytes) else json.dumps(line).encode()
            self._produce("bridge", "events_processed", value, b"WS-001")
        self.flush()

    def reject(self, line: bytes, reason: str) -> None:
        headers = [("reason", reason.encode()), ("endpoint", b"127.0.0.1:9999")]
        self._produce("bridge", "events_rejected", line, None, headers)
        self.flush()

    def answer(self, name: str, key: Any, row: dict[str, Any] | None, user: str = "analytics") -> None:
        """A row of a result topic; None forgets the row of the key."""
        value = None if row is None else json.dumps(row).encode()
        self._produce(user, name, value, key if isinstance(key, bytes) else json.dumps(key).encode())
        self.flush()

    def _produce(
        self, user: str, name: str, value: bytes | None, key: bytes | None, headers: Any = None
    ) -> None:
        self.writer(user).produce(self.topic(name), value, key, headers=headers, on_delivery=_delivered)

    def flush(self) -> None:
        for writer in self._writers.values():
            assert writer.flush(60) == 0


def _delivered(error: Any, _message: Any) -> None:
    assert error is None, error


class SteeredProducer:
    """win-event-producer with its HTTP side, closed by TOKEN."""

    def __init__(self, folder: Path) -> None:
        options = ("--rate", "200", "--labels", "--http-port", "0")
        self.running = RunningProducer(folder, *options, env={"WIN_EVENT_HTTP_TOKEN": TOKEN})
        address = r"on (http://127\.0\.0\.1:\d+)"
        self.url = str(wait_until(lambda: re.search(address, self.running.text()), "its HTTP address")[1])

    def status(self) -> dict[str, Any]:
        return dict(httpx.get(f"{self.url}/status", timeout=60).json())

    def post(self, event: dict[str, Any]) -> None:
        login = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.post(f"{self.url}/events", json=event, headers=login, timeout=60)
        assert answer.json()["accepted"] == 1, answer.text

    def wait_for_scenario(self, name: str) -> None:
        """Wait until one of its events is streamed."""
        with (
            socket.create_connection(("127.0.0.1", self.running.port), 60) as opened,
            opened.makefile() as lines,
        ):
            for line in lines:  # an empty one only says that the connection is alive
                if line.strip() and json.loads(line).get("labels", {}).get("scenario") == name:
                    return
        raise AssertionError(f"no event of {name}")


def make_event(message: str, level: str = "Information", **fields: Any) -> dict[str, Any]:
    """An event that happens now, in the shape that win-event-producer gives by default."""
    now = datetime.now(timezone.utc)
    return {
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%S.%f}0Z",
        "level": level,
        "source": "Security",
        "event_id": 4625,
        "computer": "DC-010.corp.example",
        "record_id": 7,
        "message": message,
        **fields,
    }


def made_by_the_producer(count: int) -> list[bytes]:
    """Lines that the real win-event-producer has written."""
    made = run(BIN / "win-event-producer", "--stdout", "--count", str(count), "--rate", "max")
    assert made.returncode == 0, made.stderr
    lines = [line.encode() for line in made.stdout.splitlines()]
    assert len(lines) == count
    return lines
