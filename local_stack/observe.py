"""`up --observe`: Prometheus for the stack, with the rules and alerts of deploy/prometheus.

Ports: `metrics_port` is the first broker's JMX exporter, then win-event-kafka-metrics, the JobManager and
the TaskManagers, one each; 19 above it, CPU, memory and disk of the processes; 50 above it, further brokers.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from local_stack import processes
from local_stack.broker.kafka_objects import watcher
from local_stack.health import process_metrics
from local_stack.jars.jars import read_lock
from local_stack.layout import COMMANDS, DEPLOY, Stack, tools_directory
from toolkit.addresses import LOOPBACK
from toolkit.atomic_file import write_atomically

RULES = ("alerts.yml",)
_PROCESSES = 19  # above metrics_port, with room for 16 TaskManagers
_SOURCE = DEPLOY / "prometheus"
_GET = Path(__file__).with_name("get-prometheus")  # in a checkout a link to scripts/get-prometheus


def find_tool(name: str) -> Path:
    """prometheus, promtool, prometheus-alertmanager or amtool: on the PATH, or unpacked, or downloaded.

    Raises StartError.
    """
    package = "prometheus" if name in ("prometheus", "promtool") else "prometheus-alertmanager"
    folder = tools_directory() / package.removeprefix("prometheus-")
    unpacked = str(folder / "usr" / "bin")
    found = shutil.which(name) or shutil.which(name, path=unpacked)
    if found is None:
        result = subprocess.run(
            ["bash", str(_GET), str(folder), package], capture_output=True, text=True, check=False
        )
        found = shutil.which(name, path=unpacked)
        if found is None:
            raise processes.StartError(f"{name} is not on the PATH. Fetching it: {result.stderr.strip()}")
    return Path(found)


def grafana_advice(stack: Stack) -> str:
    """How to show the dashboards in a Grafana without the containers."""
    return (
        f"for your own Grafana: copy {_grafana_source(stack)} into its provisioning/datasources, restart it, "
        f"and import the files of {DEPLOY / 'grafana' / 'dashboards'} (Dashboards → New → Import)"
    )


def _grafana_source(stack: Stack) -> Path:
    return stack.directory / "prometheus" / "grafana-datasource.yml"


def url(stack: Stack) -> str:
    return f"http://{LOOPBACK}:{stack.prometheus_port}"


def broker_options(stack: Stack, number: int) -> list[str]:
    """The JVM options for a broker's metrics on loopback; none without --observe."""
    if not stack.observe:
        return []
    agent = stack.jars / read_lock("observe")[0].file_name
    return [f"-javaagent:{agent}={LOOPBACK}:{_broker_port(stack, number)}:{DEPLOY / 'kafka' / 'jmx.yaml'}"]


def flink_options(stack: Stack, name: str) -> list[str]:
    """The option with the port for Prometheus: on one machine, each Flink process needs another."""
    if not stack.observe:
        return []
    return ["-D", f"metrics.reporter.prom.port={_flink_port(stack, name)}"]


def targets(stack: Stack) -> dict[str, list[str]]:
    """The addresses on this machine for each job of deploy/prometheus/prometheus.yml."""
    managers = [f"taskmanager-{number}" for number in range(1, stack.taskmanagers + 1)]
    return {
        "broker": [f"{LOOPBACK}:{_broker_port(stack, number)}" for number in stack.broker_numbers],
        "kafka": [f"{LOOPBACK}:{stack.metrics_port + 1}"],
        "jobmanager": [f"{LOOPBACK}:{_flink_port(stack, 'jobmanager')}"],
        "taskmanager": [f"{LOOPBACK}:{_flink_port(stack, name)}" for name in managers],
        "producer": [stack.producer_metrics],
        "processes": [f"{LOOPBACK}:{stack.metrics_port + _PROCESSES}"],
        **({"console": [f"{LOOPBACK}:{stack.console_port}"]} if stack.console else {}),
        "prometheus": [f"{LOOPBACK}:{stack.prometheus_port}"],
    }


def local_configuration(shipped: dict[str, Any], where: dict[str, list[str]]) -> dict[str, Any]:
    """The shipped configuration with each job's targets replaced by those of this machine.

    Parts that do not run on this machine are left out, and so are logins: everything is on loopback.
    """

    def local(job: dict[str, Any]) -> dict[str, Any]:
        kept = {k: v for k, v in job.items() if not k.endswith("_configs") and k != "authorization"}
        return {**kept, "static_configs": [{"targets": where[job["job_name"]]}]}

    names = {job["job_name"] for job in shipped["scrape_configs"]}
    only_here = [{"job_name": name} for name in where if name not in names]
    jobs = [local(job) for job in [*shipped["scrape_configs"], *only_here] if job["job_name"] in where]
    return {**{key: value for key, value in shipped.items() if key != "alerting"}, "scrape_configs": jobs}


def start_observers(stack: Stack) -> None:
    """Start the parts that do not run yet; returns when all answer. Raises StartError."""
    if processes.running(stack, "kafka-metrics") is None:
        processes.check_port_free(stack.metrics_port + 1, "Kafka's metrics", "--metrics-port")
        daemon = processes.start(
            stack, "kafka-metrics", _metrics_command(stack), _metrics_login(stack), stack.directory
        )
        processes.wait_until_listening(daemon, stack.metrics_port + 1)
    port = stack.metrics_port + _PROCESSES
    if processes.running(stack, process_metrics.NAME) is None:
        processes.check_port_free(port, "the metrics of processes", "--metrics-port")
        command = [sys.executable, "-m", process_metrics.__name__, str(stack.directory), str(port)]
        daemon = processes.start(
            stack, process_metrics.NAME, command, {"PATH": os.environ.get("PATH", "")}, stack.directory
        )
        processes.wait_until_listening(daemon, port)
    command = _prometheus_command(stack)
    if prometheus := processes.running(stack, "prometheus"):
        os.kill(prometheus.pid, signal.SIGHUP)  # it reads its files again, because the console may be new
    else:
        processes.check_port_free(stack.prometheus_port, "Prometheus", "--prometheus-port")
        daemon = processes.start(stack, "prometheus", command, {}, stack.directory)
        processes.wait_until_listening(daemon, stack.prometheus_port)


def _metrics_command(stack: Stack) -> list[str]:
    tool = COMMANDS / "win-event-kafka-metrics"
    topology = ["--topology", stack.topology] if stack.topology else []
    return [str(tool), "--port", str(stack.metrics_port + 1), *topology]


def _metrics_login(stack: Stack) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": stack.security_protocol,
        **({"KAFKA_CA_FILE": str(stack.ca_file)} if stack.ca_file else {}),
        "KAFKA_USERNAME": watcher(stack),
        "KAFKA_PASSWORD_FILE": str(stack.secrets / watcher(stack)),
    }


def _prometheus_command(stack: Stack) -> list[str]:
    folder = stack.directory / "prometheus"
    shipped = yaml.safe_load((_SOURCE / "prometheus.yml").read_text(encoding="utf-8"))
    write_atomically(folder / "prometheus.yml", yaml.safe_dump(local_configuration(shipped, targets(stack))))
    source = (DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8")
    write_atomically(_grafana_source(stack), source.replace("http://prometheus:9090", url(stack)))
    for rules in RULES:
        shutil.copy(_SOURCE / rules, folder / rules)
    return [
        str(find_tool("prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=2d",
        f"--web.listen-address={LOOPBACK}:{stack.prometheus_port}",
    ]


def _broker_port(stack: Stack, number: int) -> int:
    return stack.metrics_port if number == 1 else stack.metrics_port + 50 + number


def _flink_port(stack: Stack, name: str) -> int:
    number = 0 if name == "jobmanager" else int(name.rsplit("-", 1)[1])
    return stack.metrics_port + 2 + number
