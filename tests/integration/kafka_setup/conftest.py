"""A separate set-up on the session's broker: topics and users that no other test uses."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from running import BIN, RunningStack, of_the_bridge, renamed_topology, run

_numbers = itertools.count(1)


@dataclass
class SetupCommand:
    """Runs win-event-kafka-setup, logged in as the broker's super user if no other is given."""

    environment: dict[str, str]
    topology: Path
    passwords: Path
    suffix: str
    variables: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str | Path, **variables: str) -> Any:
        environment = {**self.environment, **self.variables, **variables}
        return run(BIN / "win-event-kafka-setup", *words, env=environment, stdin=subprocess.DEVNULL)

    def rows(self, *words: str | Path, **variables: str) -> list[dict[str, str]]:
        result = self(*words, "--json", **variables)
        assert result.stdout, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    def edit(self, old: str, new: str) -> None:
        text = self.topology.read_text()
        assert old in text
        self.topology.write_text(text.replace(old, new))

    def as_user(self, role: str) -> dict[str, str]:
        """The login variables of one of this set-up's own users."""
        file = self.passwords / f"{role}{self.suffix}"
        return {
            "KAFKA_USERNAME": f"{role}{self.suffix}",
            "KAFKA_PASSWORD": file.read_text().strip(),
        }


@pytest.fixture
def setup(broker: RunningStack, tmp_path: Path) -> Iterator[SetupCommand]:
    suffix = f"-s{next(_numbers)}"
    topology = tmp_path / "topology.yaml"
    topology.write_text(of_the_bridge(renamed_topology(suffix, users=True)))
    passwords = tmp_path / "passwords"
    environment = broker.shell("kafka")
    environment |= {"WIN_EVENT_TOPOLOGY": str(topology)}
    del environment["WIN_EVENT_PASSWORD_DIR"]  # of the stack's own users
    yield SetupCommand(environment, topology, passwords, suffix, {"WIN_EVENT_PASSWORD_DIR": str(passwords)})
    leftover = run(BIN / "win-event-kafka-setup", "teardown", "--yes", env=environment)
    assert leftover.returncode == 0, leftover.stderr


@pytest.fixture
def kafka_tool(broker: RunningStack, tmp_path: Path) -> Callable[..., str]:
    """Runs one of Kafka's own tools as the super user; returns its output."""
    password = (broker.stack.secrets / "kafka").read_text()
    login = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="kafka" '
    config = tmp_path / "kafka.properties"
    config.write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\n"
        f'sasl.jaas.config={login}password="{password}";\n'
    )

    def call(name: str, *words: str) -> str:
        servers = ["--bootstrap-server", broker.stack.bootstrap_servers, "--command-config", str(config)]
        result = run(broker.stack.bin / name, *servers, *words)
        assert result.returncode == 0, result.stdout + result.stderr
        return str(result.stdout)

    return call
