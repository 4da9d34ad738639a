"""The checks of doctor. Each tests one possible cause of a problem."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from local_stack import processes
from local_stack.broker import broker
from local_stack.health.doctor_flink import examine_flink, examine_sockets
from local_stack.health.doctor_kafka import examine_kafka
from local_stack.health.warnings import CheckResult
from local_stack.jars.jars import read_lock
from local_stack.jars.java import java_home
from local_stack.layout import Stack
from toolkit.addresses import LOOPBACK
from toolkit.extras import how_to_add

_MIN_JAVA, _MAX_JAVA = 17, 21  # Kafka 4 brokers need 17; Flink 2.2 is released for up to 21
_NEEDED_BYTES = 2 * 2**30


def examine(stack: Stack, sockets: Sequence[tuple[str, int]] = ()) -> list[CheckResult]:
    """Run all checks.

    `sockets`: further senders of lines, besides those of the running jobs; each is examined once.
    """
    running = {daemon.name for daemon in processes.recorded(stack) if daemon.process()}
    results = [_java(), _python(), _versions(), _disk(stack), *_ports(stack), *_daemons(stack)]
    if broker.name(1) in running:
        results += examine_kafka(stack)
    if "jobmanager" in running:
        results += examine_flink(stack)
    return list(dict.fromkeys([*results, *examine_sockets(sockets)]))


def _java() -> CheckResult:
    home = java_home()
    try:
        output = subprocess.run(
            [str(home / "bin" / "java"), "-version"], capture_output=True, text=True, check=False
        )
        match = re.search(r'version "(\d+)', output.stderr)
    except OSError:
        match = None
    major = int(match[1]) if match else 0
    remedy = (
        f"unset JAVA_HOME (the toolkit brings its own Java), or point it at Java {_MIN_JAVA} to {_MAX_JAVA}"
    )
    return CheckResult(f"Java {major} in {home}", _MIN_JAVA <= major <= _MAX_JAVA, remedy)


def _python() -> CheckResult:
    found = ".".join(map(str, sys.version_info[:3]))
    return CheckResult(
        f"Python {found}", (3, 10) <= sys.version_info[:2] <= (3, 12), "use Python 3.10, 3.11 or 3.12"
    )


def _versions() -> CheckResult:
    connector = read_lock("flink")[0].version
    try:
        flink = version("apache-flink")
    except PackageNotFoundError:
        return CheckResult("apache-flink is not installed", False, how_to_add("local"))
    built_for = connector.split("-")[1]
    what = f"Kafka connector {connector} with Flink {flink}"
    return CheckResult(what, flink.startswith(f"{built_for}."), "install the versions of requirements.lock")


def _disk(stack: Stack) -> CheckResult:
    folder = next(each for each in (stack.directory, *stack.directory.absolute().parents) if each.exists())
    free = shutil.disk_usage(folder).free
    return CheckResult(
        f"{free / 2**30:.0f} GiB free for {folder}", free > _NEEDED_BYTES, "free at least 2 GiB"
    )


def _ports(stack: Stack) -> list[CheckResult]:
    ours = {daemon.name for daemon in processes.recorded(stack) if daemon.process()}
    wanted = [
        *((broker.name(n), stack.kafka_port_of(n), "--kafka-port") for n in stack.broker_numbers),
        *((broker.name(n), stack.controller_port_of(n), "--controller-port") for n in stack.broker_numbers),
        ("jobmanager", stack.flink_port, "--flink-port"),
        ("jobmanager", stack.jobmanager_port, "--jobmanager-port"),
    ]
    return [_port(port, name in ours, name, option) for name, port, option in wanted]


def _port(port: int, ours: bool, name: str, option: str) -> CheckResult:
    if ours:
        with socket.socket() as probe:
            probe.settimeout(60)
            answers = probe.connect_ex((LOOPBACK, port)) == 0
        return CheckResult(f"port {port}: {name}", answers, f"win-event-stack logs {name}")
    try:
        processes.check_port_free(port, name, option)
    except processes.StartError as error:
        return CheckResult(str(error), False, f"win-event-stack up {option} N")
    return CheckResult(f"port {port} is free for {name}", True)


def _daemons(stack: Stack) -> list[CheckResult]:
    return [
        CheckResult(
            f"{daemon.name} runs", daemon.process() is not None, f"win-event-stack logs {daemon.name}; up"
        )
        for daemon in processes.recorded(stack)
    ]
