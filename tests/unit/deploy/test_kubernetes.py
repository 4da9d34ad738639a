"""The Kubernetes manifests against the schemas of Kubernetes and of the Flink operator."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import click
import jsonschema
import kubernetes_validate
import pytest
import yaml

from analytics.job import main as analytics
from analytics.question_files import find
from detection.cli import main as detection
from flink_bridge.job import main as job
from local_stack.cluster.configuration import flat
from local_stack.layout import DEPLOY, REPOSITORY
from producer.cli import main as producer
from producer.http.guard import TOKEN_VARIABLE

FOLDER = DEPLOY / "kubernetes"
SCHEMA = Path(__file__).with_name("schemas") / "flinkdeployments-1.15.0.yml.gz"
KUBERNETES = "1.33"
FLINK_JOBS = {"bridge": "flink-deployment.yaml", "analytics": "flink-analytics.yaml"}
TOOLS: dict[str, click.Command] = {
    "bridge": job,
    "analytics": analytics,
    "producer": producer,
    "detection": detection.commands["run"],
}


def documents() -> list[Any]:
    files = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    return [
        pytest.param(document, id=f"{file}:{document['kind']}:{document['metadata']['name']}")
        for file in files
        for document in yaml.safe_load_all((FOLDER / file).read_text())
    ]


def flink_deployment(tool: str) -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / FLINK_JOBS[tool]).read_text()))


def _every_flink_job() -> Any:
    return pytest.mark.parametrize("tool", FLINK_JOBS)


def closed(schema: Any) -> Any:
    """The same schema, refusing the fields it does not name, as the API server would drop them."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    open_on_purpose = result.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and "type" in schema and not open_on_purpose:
        result.setdefault("additionalProperties", False)
    return result


def test_everything_is_listed() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "kustomization.yaml"} == {file.name for file in FOLDER.iterdir()}


@pytest.mark.parametrize("document", documents())
def test_kubernetes_accepts_it(document: dict[str, Any]) -> None:
    if document["kind"] != "FlinkDeployment":  # below
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


@_every_flink_job()
def test_the_flink_operator_accepts_the_deployment(tool: str) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 500 kB: ten times as fast where it is there
    definition = yaml.load(gzip.decompress(SCHEMA.read_bytes()), Loader=loader)  # noqa: S506 - both are safe
    versions = {
        version["name"]: version["schema"]["openAPIV3Schema"] for version in definition["spec"]["versions"]
    }
    deployment = flink_deployment(tool)
    assert deployment["apiVersion"] == f"{definition['spec']['group']}/v1beta1"
    validator = jsonschema.Draft7Validator(closed(versions["v1beta1"]["properties"]["spec"]))
    assert [error.message for error in validator.iter_errors(deployment["spec"])] == []
    broken = {**deployment["spec"], "flinkVersion": "v0_1", "nonsense": 1}
    assert len(list(validator.iter_errors(broken))) == 2


@_every_flink_job()
def test_it_carries_the_settings_of_the_other_deployments(tool: str) -> None:
    shared = {}
    for name in ("config.yaml", "container.yaml"):
        shared |= flat(yaml.safe_load((DEPLOY / "flink" / name).read_text()))
    given = flink_deployment(tool)["spec"]["flinkConfiguration"]
    # Sizes are resources here; heartbeats over a real network keep Flink's own patience; pods are started by
    # Kubernetes, where the patience of a standalone cluster means nothing; nobody runs `flink run` there.
    starts = (
        "heartbeat.",
        "jobmanager.memory",
        "taskmanager.memory",
        "resourcemanager.",
        "env.java.opts.client",
    )
    elsewhere = {key for key in shared if key.startswith(starts)}
    assert shared.keys() - elsewhere <= given.keys()
    same = (
        shared.keys() - elsewhere - {"execution.checkpointing.dir", "execution.checkpointing.savepoint-dir"}
    )
    assert {key: given[key] for key in same} == {
        key: str(shared[key]).lower() if isinstance(shared[key], bool) else str(shared[key]) for key in same
    }


@_every_flink_job()
def test_state_survives_pods(tool: str) -> None:
    spec = flink_deployment(tool)["spec"]
    settings = spec["flinkConfiguration"]
    stored = (
        "execution.checkpointing.dir",
        "execution.checkpointing.savepoint-dir",
        "high-availability.storageDir",
    )
    assert all(settings[key].startswith("s3://") for key in stored)
    assert settings["high-availability.type"] == "kubernetes"
    assert spec["job"]["upgradeMode"] == "savepoint"


def pod_of(tool: str) -> dict[str, Any]:
    manifests = yaml.safe_load_all((FOLDER / f"{tool}.yaml").read_text())
    deployment = next(each for each in manifests if each["kind"] == "Deployment")
    return dict(deployment["spec"]["template"]["spec"])


@pytest.mark.parametrize(
    ("tool", "variable"), [("producer", f"{TOKEN_VARIABLE}_FILE"), ("detection", "KAFKA_PASSWORD_FILE")]
)
def test_what_a_pod_keeps_secret_is_a_key_of_its_secret(tool: str, variable: str) -> None:
    """The producer's token, without which everybody could change something; the login at Kafka."""
    pod = pod_of(tool)
    container = pod["containers"][0]
    file = next(each["value"] for each in container["env"] if each["name"] == variable)
    mounted = next(each for each in container["volumeMounts"] if each["mountPath"] == str(Path(file).parent))
    volume = next(each for each in pod["volumes"] if each["name"] == mounted["name"])
    secrets = yaml.safe_load_all((FOLDER / "secret.yaml").read_text())
    secret = next(each for each in secrets if each["metadata"]["name"] == volume["secret"]["secretName"])
    assert Path(file).name in secret["stringData"]


def test_the_jobs_share_no_state_and_their_passwords_are_keys_of_the_secret() -> None:
    specs = [flink_deployment(tool)["spec"] for tool in FLINK_JOBS]
    folders = [value for spec in specs for value in spec["flinkConfiguration"].values() if "s3://" in value]
    assert len(folders) == len(set(folders)) == 3 * len(specs)
    secrets = yaml.safe_load_all((FOLDER / "secret.yaml").read_text())
    login = next(each for each in secrets if each["metadata"]["name"] == "kafka-login")
    files = {word for spec in specs for word in spec["job"]["args"] if word.startswith("/run/secrets/")}
    assert {Path(file).name for file in files} == set(login["stringData"])


def test_the_questions_on_kubernetes_are_shipped() -> None:
    arguments = flink_deployment("analytics")["spec"]["job"]["args"]
    assert find(arguments[arguments.index("/opt/win-event-bridge/analytics/job.py") + 1])


@pytest.mark.parametrize("tool", TOOLS)
def test_options_are_those_of_the_tools(tool: str) -> None:
    options = {flag for param in TOOLS[tool].params for flag in param.opts}
    if tool in FLINK_JOBS:
        arguments = flink_deployment(tool)["spec"]["job"]["args"]
    else:
        arguments = pod_of(tool)["containers"][0]["args"]
    assert {word for word in arguments if word.startswith("--")} <= options


def test_images_are_those_of_the_compose_file() -> None:
    compose = (REPOSITORY / "docker-compose.yml").read_text()
    for file in FOLDER.glob("*.yaml"):
        for line in file.read_text().splitlines():
            name, _, image = line.strip().partition(": ")
            if name == "image":
                assert f"image: {image}" in compose
