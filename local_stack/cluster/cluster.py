"""A Flink session cluster from the apache-flink package: one JobManager, some TaskManagers, loopback only."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from local_stack import observe, processes
from local_stack.cluster import flink_java
from local_stack.cluster.configuration import merged
from local_stack.cluster.flink_java import flink_home
from local_stack.jars.java import server_options
from local_stack.layout import COMMANDS, DEPLOY, Stack
from toolkit import flink_rest
from toolkit.addresses import LOOPBACK

_MAIN_CLASSES = {
    "jobmanager": "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
    "taskmanager": "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
}
_S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")


def base_environment() -> dict[str, str]:
    """Variables that every daemon needs, and nothing else of the user's environment.

    In thread mode, the Python inside a TaskManager finds its packages by the first `python3` on the PATH,
    whatever python.executable says. That has to be ours, also for a shell that does not know it.
    """
    path = os.pathsep.join((str(COMMANDS), os.environ.get("PATH", os.defpath)))
    return {"PATH": path, "HOME": str(Path.home()), "LANG": "C.UTF-8"}


def s3_login(stack: Stack) -> dict[str, str]:
    """The keys of S3, if it is used: variables of our environment that the daemons need, too."""
    return {name: value for name, value in os.environ.items() if name in _S3_KEYS} if stack.s3 else {}


def start_cluster(stack: Stack, s3: list[Path]) -> None:
    """Start the JobManager and the TaskManagers; returns when all are registered. Raises StartError.

    `s3` are jars of a plugin.
    """
    processes.check_port_free(stack.flink_port, "Flink's web UI", "--flink-port")
    processes.check_port_free(stack.jobmanager_port, "Flink's JobManager", "--jobmanager-port")
    _link_jars(stack)
    _link_plugins(stack, s3)
    write_configuration(stack)
    start_jobmanager(stack)
    for number in range(1, stack.taskmanagers + 1):
        if processes.running(stack, f"taskmanager-{number}") is None:  # it survives its JobManager
            start_taskmanager(stack, number)
    wait_for_taskmanagers(stack)


def start_jobmanager(stack: Stack) -> processes.Daemon:
    """Start only the JobManager; returns when it answers. Running TaskManagers find it again."""
    daemon = _start(stack, "jobmanager", "jobmanager")
    processes.wait_until_listening(daemon, stack.flink_port)
    return daemon


def start_taskmanager(stack: Stack, number: int) -> processes.Daemon:
    return _start(stack, f"taskmanager-{number}", "taskmanager")


def wait_for_taskmanagers(stack: Stack, seconds: float = 90.0) -> None:
    processes.wait_for(
        lambda: flink_rest.taskmanagers(stack.flink_url) >= stack.taskmanagers,
        seconds,
        f"not all of {stack.taskmanagers} TaskManagers registered",
        stack.logs / "taskmanager-1.log",
    )


def _start(stack: Stack, name: str, kind: str) -> processes.Daemon:
    memory, arguments = flink_java.sizes(stack, kind)
    log = (f"flink-{name}.log", "log4j-console.properties")
    command = flink_java.java_command(stack, flink_java.read_settings(stack), kind, log, memory)
    command += [_MAIN_CLASSES[kind], *arguments, "--configDir", str(stack.flink_conf)]
    environment = base_environment() | flink_java.program_environment(stack) | s3_login(stack)
    command += observe.flink_options(stack, name)
    return processes.start(stack, name, command, environment, stack.directory)


def write_configuration(stack: Stack) -> None:
    """Flink's shipped configuration, then deploy/flink/config.yaml, then this stack's ports and folders."""
    stack.flink_conf.mkdir(parents=True, exist_ok=True)
    shipped = flink_home() / "conf"
    for file in shipped.glob("log*"):
        shutil.copy(file, stack.flink_conf / file.name)
    settings = merged(shipped / "config.yaml", [DEPLOY / "flink" / "config.yaml"])
    settings |= {
        "jobmanager.rpc.address": LOOPBACK,
        "jobmanager.rpc.port": stack.jobmanager_port,
        "jobmanager.bind-host": LOOPBACK,
        "taskmanager.host": LOOPBACK,
        "taskmanager.bind-host": LOOPBACK,
        "rest.address": LOOPBACK,
        "rest.bind-address": LOOPBACK,
        "rest.port": stack.flink_port,
        "rest.bind-port": str(stack.flink_port),
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "execution.checkpointing.dir": stack.checkpoints.as_uri(),
        "execution.checkpointing.savepoint-dir": stack.savepoints.as_uri(),
        "io.tmp.dirs": str(stack.directory / "flink" / "tmp"),
    }
    if options := shlex.join(server_options()):
        settings |= {f"env.java.opts.{kind}": options for kind in (*_MAIN_CLASSES, "sql-gateway")}
    if stack.s3 and stack.s3_endpoint:
        # On servers other than Amazon's, buckets are folders, not host names.
        settings |= {"s3.endpoint": stack.s3_endpoint, "s3.path.style.access": "true"}
    if not stack.observe:
        # Without a list, Flink would start every reporter that has settings, so these are removed, too.
        settings = {
            name: value for name, value in settings.items() if not name.startswith("metrics.reporter")
        }
    flink_java.write_settings(stack, settings)


def _link_jars(stack: Stack) -> None:
    stack.flink_lib.mkdir(parents=True, exist_ok=True)
    (stack.directory / "flink" / "tmp").mkdir(exist_ok=True)
    for old in stack.flink_lib.iterdir():
        old.unlink()
    for jar in flink_java.class_path(stack):
        (stack.flink_lib / jar.name).symlink_to(jar)


def _link_plugins(stack: Stack, s3: list[Path]) -> None:
    """Link Flink's own plugins, and S3's in a separate folder: the classes of plugins must not mix."""
    shutil.rmtree(stack.flink_plugins, ignore_errors=True)
    stack.flink_plugins.mkdir(parents=True)
    for plugin in (flink_home() / "plugins").glob("*/"):
        (stack.flink_plugins / plugin.name).symlink_to(plugin)
    for jar in s3:
        folder = stack.flink_plugins / "s3-fs-hadoop"
        folder.mkdir(exist_ok=True)
        (folder / jar.name).symlink_to(jar)
