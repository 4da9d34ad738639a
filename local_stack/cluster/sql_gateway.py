"""Flink's SQL Gateway on the session cluster, and Flink's SQL client on the gateway; loopback only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local_stack import processes, shell_environment
from local_stack.cluster.cluster import base_environment
from local_stack.cluster.flink_java import flink_home, java_command, program_environment, read_settings
from local_stack.layout import REPOSITORY, Stack
from toolkit.addresses import LOOPBACK
from toolkit.atomic_file import write_atomically

NAME = "sql-gateway"
USER = "analytics"


def start_gateway(stack: Stack, jars: Sequence[Path]) -> None:
    """Start the gateway; returns when it answers. Raises StartError."""
    processes.check_port_free(stack.sql_port, "Flink's SQL Gateway", "--sql-port")
    _link_opt(stack, jars)
    options = {
        "sql-gateway.endpoint.rest.address": LOOPBACK,
        "sql-gateway.endpoint.rest.bind-address": LOOPBACK,
        "sql-gateway.endpoint.rest.port": stack.sql_port,
        # Without it the gateway would take the cluster's rest.bind-port.
        "sql-gateway.endpoint.rest.bind-port": stack.sql_port,
    }
    words = [f"-D{name}={value}" for name, value in options.items()]
    log = ("flink-sql-gateway.log", "log4j-console.properties")
    command = java_command(stack, read_settings(stack), "sql-gateway", log, more_jars=jars)
    command += ["org.apache.flink.table.gateway.SqlGateway", *words]
    environment = base_environment() | _environment(stack)
    daemon = processes.start(stack, NAME, command, environment, stack.directory)
    processes.wait_until_listening(daemon, stack.sql_port, 120)


def client(stack: Stack, options: Sequence[str]) -> int:
    """Open Flink's SQL client with every table declared; returns its exit code. Raises StartError."""
    if processes.running(stack, NAME) is None:
        raise processes.StartError("the SQL Gateway is not running. First: win-event-stack up --sql")
    log = ("flink-sql-client.log", "log4j-cli.properties")
    jars = sorted(jar for jar in stack.flink_opt.iterdir() if jar.name.startswith("flink-sql-"))
    command = java_command(stack, read_settings(stack), "client", log, more_jars=jars)
    command += ["org.apache.flink.table.client.SqlClient", "gateway"]
    command += ["--endpoint", f"{LOOPBACK}:{stack.sql_port}", "-i", str(_declarations(stack)), *options]
    return subprocess.call(command, env=os.environ | _environment(stack))


def _declarations(stack: Stack) -> Path:
    """The table declarations of analytics, for its user, with references to the password instead of it."""
    login = {"KAFKA_USERNAME": USER, "KAFKA_PASSWORD_FILE": str(stack.secrets / USER)}
    command = [sys.executable, str(REPOSITORY / "analytics" / "job.py"), "--declare"]
    environment = os.environ | shell_environment.exports(stack) | login
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise processes.StartError(f"analytics/job.py --declare: {answer.stderr.strip()}")
    file = stack.directory / "flink" / "tables.sql"
    write_atomically(file, answer.stdout, mode=0o600)
    return file


def _environment(stack: Stack) -> dict[str, str]:
    return program_environment(stack) | {"FLINK_OPT_DIR": str(stack.flink_opt)}


def _link_opt(stack: Stack, jars: Sequence[Path]) -> None:
    stack.flink_opt.mkdir(parents=True, exist_ok=True)
    for old in stack.flink_opt.iterdir():
        old.unlink()
    for jar in [*(flink_home() / "opt").iterdir(), *jars]:
        (stack.flink_opt / jar.name).symlink_to(jar)
