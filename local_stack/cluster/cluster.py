"""A Flink session cluster from the apache-flink package: one JobManager, some TaskManagers, loopback only."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import yaml

from kafka_setup.atomic_file import write_atomically
from local_stack import observe, processes
from local_stack.cluster import rest as flink_rest
from local_stack.cluster.configuration import merged
from local_stack.extras import how_to_add
from local_stack.jars.java import java_home, server_options
from local_stack.layout import DEPLOY, LOOPBACK, Stack

_S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")


def flink_home() -> Path:
    """Where the apache-flink package keeps its bin/, lib/ and conf/."""
    spec = find_spec("pyflink")
    if spec is None or not spec.submodule_search_locations:
        raise processes.StartError(f"apache-flink is not installed. To add it: {how_to_add('local')}")
    return Path(spec.submodule_search_locations[0])


def flink_environment(stack: Stack) -> dict[str, str]:
    """What the scripts in Flink's bin/ need to use this stack's configuration, jars and folders."""
    plugins = {"FLINK_PLUGINS_DIR": str(stack.flink_plugins)} if stack.s3 else {}
    return {
        **plugins,
        "FLINK_HOME": str(flink_home()),
        "FLINK_CONF_DIR": str(stack.flink_conf),
        # Flink's own jars and the Kafka connector: `pipeline.jars` would not reach the submitting client.
        "FLINK_LIB_DIR": str(stack.flink_lib),
        "FLINK_LOG_DIR": str(stack.logs),
        "FLINK_PID_DIR": str(stack.directory / "flink"),
        "JAVA_HOME": str(java_home()),
        "PYFLINK_CLIENT_EXECUTABLE": sys.executable,
    }


def base_environment() -> dict[str, str]:
    """What every daemon needs, and nothing else of the person's own environment."""
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(Path.home()), "LANG": "C.UTF-8"}


def s3_login(stack: Stack) -> dict[str, str]:
    """The keys of S3, if it is used: from our environment into the daemons', where the plugin looks."""
    return {name: value for name, value in os.environ.items() if name in _S3_KEYS} if stack.s3 else {}


def start_cluster(stack: Stack, connector: list[Path], s3: list[Path]) -> None:
    """Start the JobManager and the TaskManagers; return when all are registered. Raises StartError.

    `connector` goes into the class path, `s3` are jars of a plugin.
    """
    processes.check_port_free(stack.flink_port, "Flink's web UI", "--flink-port")
    processes.check_port_free(stack.jobmanager_port, "Flink's JobManager", "--jobmanager-port")
    _link_jars(stack, connector)
    _link_plugins(stack, s3)
    write_configuration(stack)
    start_jobmanager(stack)
    for number in range(1, stack.taskmanagers + 1):
        if processes.running(stack, f"taskmanager-{number}") is None:  # it outlives its JobManager
            start_taskmanager(stack, number)
    wait_for_taskmanagers(stack)


def start_jobmanager(stack: Stack) -> processes.Daemon:
    """Start the JobManager alone and return when it answers: TaskManagers that run find it again."""
    daemon = _start(stack, "jobmanager", "jobmanager.sh")
    processes.wait_until_listening(daemon, stack.flink_port)
    return daemon


def start_taskmanager(stack: Stack, number: int) -> processes.Daemon:
    return _start(stack, f"taskmanager-{number}", "taskmanager.sh")


def wait_for_taskmanagers(stack: Stack, seconds: float = 90.0) -> None:
    processes.wait_for(
        lambda: flink_rest.taskmanagers(stack.flink_url) >= stack.taskmanagers,
        seconds,
        f"not all of {stack.taskmanagers} TaskManagers registered",
        stack.logs / "taskmanager-1.log",
    )


def _start(stack: Stack, name: str, script: str) -> processes.Daemon:
    environment = base_environment() | flink_environment(stack) | s3_login(stack)
    command = [str(flink_home() / "bin" / script), "start-foreground", *observe.flink_options(stack, name)]
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
        settings |= {"env.java.opts.jobmanager": options, "env.java.opts.taskmanager": options}
    if stack.s3 and stack.s3_endpoint:
        # Servers other than Amazon's know buckets as folders, not as names of hosts.
        settings |= {"s3.endpoint": stack.s3_endpoint, "s3.path.style.access": "true"}
    if not stack.observe:
        # Without a list Flink would start every reporter that has settings, so these go, too.
        settings = {
            name: value for name, value in settings.items() if not name.startswith("metrics.reporter")
        }
    write_atomically(stack.flink_conf / "config.yaml", yaml.safe_dump(settings))


def flink_jars(connector: list[Path]) -> list[Path]:
    """The class path of Flink's processes in Flink's own order: its own classes come last."""
    shipped = [*(flink_home() / "lib").glob("*.jar"), *(flink_home() / "opt").glob("flink-python*.jar")]
    return sorted([*shipped, *connector], key=lambda jar: (jar.name.startswith("flink-dist"), jar.name))


def _link_jars(stack: Stack, connector: list[Path]) -> None:
    stack.flink_lib.mkdir(parents=True, exist_ok=True)
    (stack.directory / "flink" / "tmp").mkdir(exist_ok=True)
    for old in stack.flink_lib.iterdir():
        old.unlink()
    for jar in flink_jars(connector):
        (stack.flink_lib / jar.name).symlink_to(jar)


def _link_plugins(stack: Stack, s3: list[Path]) -> None:
    """Flink's own plugins, and S3's in a folder of its own: a plugin's classes must not mix with others."""
    shutil.rmtree(stack.flink_plugins, ignore_errors=True)
    stack.flink_plugins.mkdir(parents=True)
    for plugin in (flink_home() / "plugins").glob("*/"):
        (stack.flink_plugins / plugin.name).symlink_to(plugin)
    for jar in s3:
        folder = stack.flink_plugins / "s3-fs-hadoop"
        folder.mkdir(exist_ok=True)
        (folder / jar.name).symlink_to(jar)
