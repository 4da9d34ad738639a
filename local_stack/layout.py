"""The folders and ports of the local stack: one value, written to stack.json."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from kafka_setup.connection.security import protocol_with
from toolkit.addresses import CONSOLE_PORT, FLINK_PORT, KAFKA_PORT, LOOPBACK, PRODUCER_HTTP_PORT
from toolkit.atomic_file import write_atomically

REPOSITORY = Path(__file__).resolve().parent.parent
DEPLOY = (Path(__file__).parent / "deploy").resolve()  # in a checkout a link, in a wheel the files
COMMANDS = Path(sys.executable).parent  # where the commands of this toolkit are installed
FILE = "stack.json"
# Names that a stack creates in its folder, besides the jars, which several stacks may share.
_PARTS = (
    "bin",
    "cache",
    "cdc",
    "flink",
    "kafka",
    "logs",
    "prometheus",
    "run",
    "secrets",
    "tls",
    "ledger.ndjson",
    ".lock",
)


class LayoutError(RuntimeError):
    """The folder cannot be used for this stack; the text says why and what to do."""


@dataclass(frozen=True)
class Stack:
    """A local stack: its folder and ports. Every path of the stack derives from `directory`.

    Broker number n listens 2 * (n - 1) above `kafka_port`, its controller as far above `controller_port`.
    """

    directory: Path
    kafka_port: int = KAFKA_PORT
    controller_port: int = 9093
    flink_port: int = FLINK_PORT
    jobmanager_port: int = 6123
    taskmanagers: int = 1
    brokers: int = 1
    tls: bool = False
    observe: bool = False
    sql: bool = False
    sql_port: int = 8083
    s3: bool = False
    s3_endpoint: str = ""  # empty: Amazon's own
    topology: str = ""  # path of the topology; empty: the built-in one
    prometheus_port: int = 9090
    metrics_port: int = 9400  # the first of the ports for metrics, see local_stack/observe.py
    producer_metrics: str = f"{LOOPBACK}:{PRODUCER_HTTP_PORT}"
    console: bool = False
    console_port: int = CONSOLE_PORT
    cache: bool = False
    cache_port: int = 6379
    cdc: bool = False
    postgres_port: int = 5432
    connect_port: int = 8084
    inventory_hosts: int = 10  # like the producer's --hosts and --seed; used when the database is created
    inventory_seed: int = 1
    run_id: str = field(default="", repr=False)

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"{LOOPBACK}:{self.kafka_port_of(number)}" for number in self.broker_numbers)

    @property
    def broker_numbers(self) -> range:
        return range(1, self.brokers + 1)

    def kafka_port_of(self, number: int) -> int:
        return self.kafka_port + 2 * (number - 1)

    def controller_port_of(self, number: int) -> int:
        return self.controller_port + 2 * (number - 1)

    @property
    def security_protocol(self) -> str:
        return protocol_with(sasl=True, tls=self.tls)

    @property
    def ca_file(self) -> Path | None:
        """The authority that signed the brokers' certificate; None without TLS."""
        return self.directory / "tls" / "ca.pem" if self.tls else None

    @property
    def keystore(self) -> Path:
        """The brokers' key and certificate chain."""
        return self.directory / "tls" / "broker.pem"

    @property
    def flink_url(self) -> str:
        return f"http://{LOOPBACK}:{self.flink_port}"

    @property
    def console_url(self) -> str:
        return f"http://{LOOPBACK}:{self.console_port}"

    @property
    def sql_url(self) -> str:
        """Flink's SQL Gateway."""
        return f"http://{LOOPBACK}:{self.sql_port}"

    @property
    def connect_url(self) -> str:
        """Kafka Connect's REST API."""
        return f"http://{LOOPBACK}:{self.connect_port}"

    @property
    def cache_url(self) -> str:
        """The URL of the console's Valkey server; its password is in a file beside its configuration."""
        return f"redis://{LOOPBACK}:{self.cache_port}"

    @property
    def cache_password(self) -> Path:
        return self.directory / "cache" / "password"

    @property
    def cdc_directory(self) -> Path:
        """The inventory's database, Kafka Connect's settings, and the passwords of both."""
        return self.directory / "cdc"

    @property
    def flink_opt(self) -> Path:
        return self.directory / "flink" / "opt"

    @property
    def flink_plugins(self) -> Path:
        return self.directory / "flink" / "plugins"

    @property
    def secrets(self) -> Path:
        return self.directory / "secrets"

    @property
    def kafka_logins(self) -> Path:
        """The passwords in the form for Kafka's own configuration files."""
        return self.directory / "kafka" / "secrets"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def bin(self) -> Path:
        return self.directory / "bin"

    @property
    def jars(self) -> Path:
        """Verified jars; several stacks may share one folder."""
        return Path(os.environ.get("WIN_EVENT_JAR_DIR") or default_directory() / "jars")

    @property
    def flink_conf(self) -> Path:
        return self.directory / "flink" / "conf"

    @property
    def flink_lib(self) -> Path:
        return self.directory / "flink" / "lib"

    @property
    def checkpoints(self) -> Path:
        return self.directory / "flink" / "checkpoints"

    @property
    def savepoints(self) -> Path:
        return self.directory / "flink" / "savepoints"

    @property
    def demo(self) -> Path:
        """The folder of `demo`, which has a separate stack."""
        return self.directory / "demo"

    @property
    def file(self) -> Path:
        return self.directory / FILE

    @property
    def parts(self) -> list[Path]:
        """Everything that this stack created in its folder and may remove; its description comes last."""
        if not self.file.exists():
            return []
        return [path for name in (*_PARTS, FILE) if (path := self.directory / name).exists()]

    def save(self) -> None:
        """Write stack.json. Raises LayoutError if the folder has other contents already."""
        if not self.file.exists():
            taken = [name for name in _PARTS if name != ".lock" and (self.directory / name).exists()]
            if taken:
                raise LayoutError(
                    f"{self.directory / taken[0]} exists, but no stack made it. Give the stack its "
                    "own folder: WIN_EVENT_STACK_DIR"
                )
        values = {name: value for name, value in asdict(self).items() if name != "directory"}
        write_atomically(self.file, json.dumps(values, indent=2) + "\n")


def default_directory(*, elsewhere: bool = False) -> Path:
    """WIN_EVENT_STACK_DIR, or .stack of the current project, or a folder of the user's state.

    The current project is the nearest folder, from the current one upwards, with a .stack that is ours (or
    empty); otherwise it is the checkout that contains this program. With `elsewhere`, the answer is the one
    for a shell outside of all projects, without the variable.
    """
    chosen = None if elsewhere else os.environ.get("WIN_EVENT_STACK_DIR")
    if chosen:
        return Path(chosen).resolve()
    here = Path.cwd()
    for folder in () if elsewhere else (here, *here.parents):
        if _is_ours(folder / ".stack"):
            return folder / ".stack"
    if (REPOSITORY / "pyproject.toml").exists():
        return REPOSITORY / ".stack"
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "win-event-bridge"


def tools_directory() -> Path:
    """The folder for programs that are downloaded but not installed; several stacks share it."""
    if (REPOSITORY / "pyproject.toml").exists():
        return REPOSITORY / ".tools"
    return default_directory(elsewhere=True) / "tools"


def _is_ours(folder: Path) -> bool:
    """Whether a .stack is ours: other programs use the name, too, such as Haskell's Stack."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    return not names or bool(names & {FILE, "jars", "demo"})


def load_stack(directory: Path | None = None) -> Stack:
    """The stack as its last `up` described it, or the defaults. Raises LayoutError."""
    stack = Stack(directory or default_directory())
    try:
        values = json.loads(stack.file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return stack
    except (OSError, ValueError) as error:
        raise LayoutError(f"{stack.file} cannot be read: {error}") from error
    return replace(stack, **_known(stack, values))


def _known(stack: Stack, values: Any) -> dict[str, Any]:
    """The settings known to this version; another version may have written more. Raises LayoutError."""
    if not isinstance(values, dict):
        raise LayoutError(f"{stack.file}: expected a JSON object")
    known = {each.name: type(getattr(stack, each.name)) for each in fields(stack) if each.name != "directory"}
    for name, kind in known.items():
        if name in values and type(values[name]) is not kind:
            raise LayoutError(f"{stack.file}: {name} is {values[name]!r}, expected {kind.__name__}")
    return {name: values[name] for name in known if name in values}
