"""The services of docker-compose.yml, run on this machine without containers.

Commands, environment, health checks and mounted files are those of the compose file. Only what a container
isolates is translated: paths lead into a folder, service names are loopback, ports are free ones.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from running import BIN, free_ports, run, wait_until

from local_stack.cache import find_server
from local_stack.cluster.flink_java import flink_home
from local_stack.jars.java import java_home
from local_stack.layout import REPOSITORY
from local_stack.observe import find_tool

COMPOSE = REPOSITORY / "docker-compose.yml"
_PORTS = (9092, 9093, 9404, 9308, 8081, 6123, 9249, 9999, 9998, 8085, 9090, 6379, 9095, 9310)
_HOSTS = r"(?:kafka-metrics|kafka|jobmanager|producer|cache|localhost|0\.0\.0\.0|127\.0\.0\.1)"
_KAFKA_SCRIPTS = {"kafka-storage.sh": "kafka.tools.StorageTool", "kafka-server-start.sh": "kafka.Kafka"}
# Stand-ins for the programs of health checks, which are repeated until the service is healthy.
_NC = "import socket, sys; socket.create_connection((sys.argv[-2], int(sys.argv[-1])), 4)\n"
_WGET = "import sys, urllib.request; urllib.request.urlopen(sys.argv[-1], timeout=4)\n"


def load_compose() -> dict[str, Any]:
    """The file with its anchors resolved and every ${VARIABLE:-default} at its default."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text(encoding="utf-8"))
    return dict(yaml.safe_load(text))


class Containers:
    def __init__(self, folder: Path, jars: Path, kafka: list[str]) -> None:
        self.compose = load_compose()
        self.folder = folder
        self.jars = jars
        self.kafka = shlex.join(kafka)  # Java with its jars
        *ports, self.jobmanager_metrics, self.alertmanager = free_ports(len(_PORTS) + 2)
        self.ports = dict(zip(_PORTS, ports, strict=True))
        self.started: list[subprocess.Popen[bytes]] = []
        for name in ("secrets", "bin", "lib", "logs", "image-jars", *self.compose["volumes"]):
            (folder / name).mkdir(parents=True)
        self._image_contents()

    def address(self, port: int) -> str:
        return f"127.0.0.1:{self.ports[port]}"

    def once(self, service: str) -> Any:
        """Run a one-shot service to its end."""
        command = self.command(service)
        return run(*command, env=self.environment(service), cwd=self.folder)

    def run_flink(self, *words: str) -> Any:
        return run("flink", *words, env=self.environment("bridge-submit"), cwd=self.folder)

    def start(self, service: str, **more: str) -> None:
        """Start a service and wait until its own health check passes."""
        with (self.folder / "logs" / f"{service}.log").open("wb") as log:
            process = subprocess.Popen(
                self.command(service),
                env={**os.environ, **self.environment(service), **more},
                cwd=self.translate(service, self.compose["services"][service].get("working_dir", "/home")),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)

        def healthy() -> bool:
            assert process.poll() is None, f"{service} stopped: {self.log(service)}"
            return self.healthy(service)

        wait_until(healthy, f"{service} is healthy", told=lambda: self.log(service))

    def healthy(self, service: str) -> bool:
        kind, *check = self.compose["services"][service]["healthcheck"]["test"]
        assert kind == "CMD"
        words = [self.translate(service, word) for word in check]
        return run(*words, env=self.environment(service)).returncode == 0

    def log(self, service: str) -> str:
        return (self.folder / "logs" / f"{service}.log").read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        for process in reversed(self.started):
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def command(self, service: str) -> list[str]:
        wanted = self.compose["services"][service]
        words = [str(word) for word in [*wanted.get("entrypoint", []), *wanted.get("command", [])]]
        if wanted["image"].startswith("win-event-bridge/flink") and words[0] in ("jobmanager", "taskmanager"):
            # What the entry point of Flink's image makes of its first argument.
            words[:1] = [f"/opt/flink/bin/{words[0]}.sh", "start-foreground"]
        if wanted["image"].startswith("prom/"):
            words.insert(0, service)
        return [self.translate(service, word) for word in words]

    def environment(self, service: str) -> dict[str, str]:
        wanted = self.compose["services"][service].get("environment", {})
        given = {name: self.translate(service, str(value)) for name, value in wanted.items()}
        flink_bin, tools = flink_home() / "bin", REPOSITORY / ".tools/prometheus/usr/bin"
        path = f"{self.folder / 'bin'}:{flink_bin}:{BIN}:{java_home() / 'bin'}:{os.environ['PATH']}:{tools}"
        flink = {
            "FLINK_CONF_DIR": str(self.folder / "conf"),
            "FLINK_LIB_DIR": str(self.folder / "lib"),
            "FLINK_LOG_DIR": str(self.folder / "logs"),
            "FLINK_HOME": str(flink_home()),
        }
        return {**flink, "JAVA_HOME": str(java_home()), **given, "PATH": path}

    def translate(self, service: str, text: str) -> str:
        paths = self._paths(service)
        # Each container has all ports to itself: the broker's controller and Alertmanager have the same.
        ports = self.ports | ({9093: self.alertmanager} if service == "alertmanager" else {})
        inside = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
        text = re.sub(
            rf"(?<![\w./])(?:{inside})(?![\w-])", lambda m: str(paths[m[0]]), text.replace("$$", "$")
        )
        text = re.sub(
            rf"(?<![\w.-]){_HOSTS}:(\d+)", lambda m: f"127.0.0.1:{ports.get(int(m[1]), m[1])}", text
        )
        text = re.sub(r"(?<==)jobmanager$|^0\.0\.0\.0$", "127.0.0.1", text)
        if text == ":2384 01 ":  # a connection to port 9092, as /proc/net/tcp has it
            return f":{ports[9092]:04X} 01 "
        return str(ports[int(text)]) if text.isdecimal() and int(text) in ports else text

    def _paths(self, service: str) -> dict[str, Path]:
        """The path on this machine for a path of the container."""
        paths = {
            "/run/secrets": self.folder / "secrets",
            "/home": self.folder,
            "/opt/flink": flink_home(),
            "/opt/win-event-bridge/jars": self.folder / "image-jars",
            "/opt/win-event-bridge": REPOSITORY,
            "/tmp": self.folder / "logs",
        }
        for volume in self.compose["services"][service].get("volumes", []):
            source, target = volume.split(":")[:2]
            paths[target] = (
                REPOSITORY / source if source.startswith(".") else self.folder / source
            ).resolve()
        return paths

    def _script(self, name: str, text: str) -> None:
        (self.folder / "bin" / name).write_text(text)
        (self.folder / "bin" / name).chmod(0o755)

    def _image_contents(self) -> None:
        """The files of the images: Kafka's scripts, the connector, Flink's configuration, the exporter."""
        quick = os.environ.get("WIN_EVENT_JVM_OPTIONS", "")  # as the stacks of the tests have it
        options = f"{quick} ${{KAFKA_OPTS:-}} $KAFKA_HEAP_OPTS $KAFKA_LOG4J_OPTS"
        keep = f'echo "$0 $@" >> {self.folder}/logs/command-lines.log\n'
        for name, main_class in _KAFKA_SCRIPTS.items():
            self._script(name, f'#!/bin/sh\n{keep}exec {self.kafka} {options} {main_class} "$@"\n')
        # Of busybox, for the health checks; a bare machine may have neither.
        self._script("nc", f"#!{sys.executable}\n{_NC}")
        self._script("wget", f"#!{sys.executable}\n{_WGET}")
        self._script("valkey-server", f'#!/bin/sh\nexec {find_server()} "$@"\n')
        alertmanager = find_tool("prometheus-alertmanager")
        templates = alertmanager.parent.parent / "share" / "prometheus" / "alertmanager"
        self._script("alertmanager", f'#!/bin/sh\ncd {templates} && exec {alertmanager} "$@"\n')
        for jar in (*(flink_home() / "lib").glob("*.jar"), *self.jars.glob("flink-sql-connector-*.jar")):
            (self.folder / "lib" / jar.name).symlink_to(jar)
        for jar in self.jars.glob("jmx_prometheus_javaagent-*.jar"):
            shutil.copy(jar, self.folder / "image-jars")
        conf = Path(shutil.copytree(flink_home() / "conf", self.folder / "conf"))
        container = (REPOSITORY / "deploy/flink/container.yaml").read_text()
        container = container.replace("/opt/venv/bin/python", sys.executable)
        (self.folder / "container.yaml").write_text(
            container.replace("/checkpoints", str(self.folder / "checkpoints"))
        )
        # In a container every process has all ports to itself.
        (self.folder / "here.yaml").write_text(
            f"rest.port: {self.ports[8081]}\nrest.bind-port: '{self.ports[8081]}'\n"
            f"jobmanager.rpc.port: {self.ports[6123]}\n"
            f"env.java.opts.jobmanager: {quick}\nenv.java.opts.taskmanager: {quick}\n"
            # The JobManager starts first and takes the first of the two.
            f"metrics.reporter.prom.port: '{self.jobmanager_metrics},{self.ports[9249]}'\n"
        )
        overlays = (
            REPOSITORY / "deploy/flink/config.yaml",
            self.folder / "container.yaml",
            self.folder / "here.yaml",
        )
        merge = run(
            sys.executable,
            "-m",
            "local_stack.cluster.configuration",
            conf / "config.yaml",
            *overlays,
            cwd=REPOSITORY,
        )
        assert merge.returncode == 0, merge.stderr
