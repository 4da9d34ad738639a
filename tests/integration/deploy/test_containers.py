"""The services of docker-compose.yml that have a command of this repository run with the same files.

Those of the inventory are in local_stack/test_cdc.py; analytics-submit has the command of bridge-submit.
Nightly, all services start. For each change, those start that every pipeline needs, with the console.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from aws import client, moto_thread
from containers import Containers
from running import RunningStack, wait_until

from kafka_setup.cluster_facts import read_facts
from kafka_setup.connection.session import connect
from kafka_setup.connection.settings import KafkaConnection, read_password_file
from kafka_setup.topology.file import load_topology
from local_stack.broker.broker import java_command
from local_stack.broker.stack_passwords import ensure_passwords
from local_stack.jars.jars import fetch

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory, broker: RunningStack) -> Iterator[Containers]:
    """The services in the order of `depends_on`; the bridge is submitted."""
    fetch("observe", broker.stack.jars, lambda done, total: None)
    fetch("flink", broker.stack.jars, lambda done, total: None)
    kafka = java_command(broker.stack)
    running = Containers(tmp_path_factory.mktemp("containers"), broker.stack.jars, kafka)
    for user in ("kafka", "controller", "observer"):  # as a person may have set them
        (running.folder / "secrets" / user).write_text(f'Win\\Temp9 "{user}", ü=1\n', encoding="utf-8")
    ensure_passwords(
        running.folder / "secrets",
        [*(user.name for user in load_topology().users), "console", "http_token", "cache"],
    )
    try:
        _one_shot(running, "broker-files")
        running.start("kafka")
        _one_shot(running, "kafka-setup")
        for service in ("kafka-metrics", "jobmanager", "taskmanager", "producer", "cache"):
            running.start(service)
        running.start("console", WIN_EVENT_CACHE=f"redis://{running.address(6379)}/0")
        _one_shot(running, "bridge-submit")
        yield running
    finally:
        running.stop()


def _one_shot(running: Containers, service: str) -> str:
    result = running.once(service)
    assert result.returncode == 0, f"{service}: {result.stdout}{result.stderr}"
    return str(result.stdout)


def test_events_reach_kafka(containers: Containers) -> None:
    secret = read_password_file(containers.folder / "secrets" / "observer")
    admin = connect(KafkaConnection(containers.address(9092), username="observer", password=secret))

    def events() -> bool:
        ends = {topic.name: topic.end for topic in read_facts(admin).topics}
        return ends["events_processed"] > 100 and ends["events_rejected"] == 0

    wait_until(events, "the producer's events are in events_processed")


def test_submitting_again_starts_no_second_job(containers: Containers) -> None:
    assert "win-event-bridge is running already" in _one_shot(containers, "bridge-submit")
    with urlopen(f"http://{containers.address(8081)}/jobs/overview", timeout=60) as answer:
        assert len(json.load(answer)["jobs"]) == 1


@pytest.mark.nightly  # two more clients of Flink; local_stack/test_submit.py continues from a savepoint
def test_a_new_cluster_continues_from_the_newest_checkpoint(containers: Containers) -> None:
    kept = containers.folder / "checkpoints"
    wait_until(lambda: list(kept.rglob("chk-*/_metadata")), "a checkpoint is complete")
    with urlopen(f"http://{containers.address(8081)}/jobs/overview", timeout=60) as answer:
        job = json.load(answer)["jobs"][0]["jid"]
    cancelled = containers.run_flink("cancel", "-m", containers.address(8081), job)
    assert cancelled.returncode == 0, cancelled.stdout + cancelled.stderr
    again = containers.once("bridge-submit")
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"win-event-bridge continues from {kept / job}" in again.stderr
    assert "kept: the position in" in again.stderr


def test_the_broker_and_kafka_show_their_metrics(containers: Containers) -> None:
    with urlopen(f"http://{containers.address(9404)}/metrics", timeout=60) as answer:
        assert b"kafka_server_replicamanager_underreplicatedpartitions 0.0" in answer.read()
    with urlopen(f"http://{containers.address(9308)}/metrics", timeout=60) as answer:
        assert (
            b'kafka_topic_partition_current_offset{partition="0",topic="events_processed"}' in answer.read()
        )


def test_the_console_sees_its_neighbours_and_wants_its_token(containers: Containers) -> None:
    url = f"http://{containers.address(8085)}/api/v1/status"
    with pytest.raises(HTTPError, match="401"):
        urlopen(url, timeout=60)
    token = (containers.folder / "secrets" / "console").read_text()

    def states() -> dict[str, str]:
        request = Request(url, headers={"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=60) as answer:
            status = json.load(answer)
        return {service["name"]: service["state"] for service in status["services"]}

    wait_until(lambda: set(states().values()) == {"up"}, "all are up", told=states)


@pytest.mark.nightly  # test_observe.py has the same rules in a Prometheus
def test_prometheus_takes_its_command_line_and_files(containers: Containers) -> None:
    containers.start("prometheus")
    url = f"http://{containers.address(9090)}/api/v1/rules"
    with urlopen(url, timeout=60) as answer:
        groups = json.load(answer)["data"]["groups"]
    read = {str(Path("deploy/prometheus", name).resolve()) for name in ("alerts.yml", "limits.yml")}
    assert {group["file"] for group in groups} == read


@pytest.mark.nightly  # test_alertmanager.py has the same receiver and configuration
def test_alerts_have_a_receiver(containers: Containers) -> None:
    for service in ("alert-receiver", "alertmanager"):
        containers.start(service)


@pytest.mark.nightly  # detection/test_topic.py
def test_detection_reads_the_events(containers: Containers) -> None:
    containers.start("detect")
    metrics = f"http://{containers.address(9308)}/metrics"

    def groups() -> bytes:
        with urlopen(metrics, timeout=60) as answer:
            return bytes(answer.read())

    wait_until(lambda: b'consumergroup="win-event-detection"' in groups(), "detection commits its place")


@pytest.mark.nightly  # forward/test_kinesis.py
def test_alerts_go_on_to_kinesis_with_the_login_of_the_volume(containers: Containers) -> None:
    login = containers.folder / "aws-login" / "credentials"
    login.write_text("[default]\naws_access_key_id = test\naws_secret_access_key = test\n")
    with moto_thread() as endpoint:
        client("kinesis", endpoint).create_stream(StreamName="win-event-alerts", ShardCount=1)
        containers.start("forward-kinesis", AWS_ENDPOINT_URL_KINESIS=endpoint)
        with urlopen(f"http://{containers.address(9310)}/metrics", timeout=60) as answer:
            page = answer.read()
    assert b"win_event_forward_kafka_up 1.0" in page
    assert b"process_resident_memory_bytes" in page  # limits.yml compares it


def test_no_password_is_on_a_command_line_or_in_a_log(containers: Containers) -> None:
    secrets = [read_password_file(file) for file in (containers.folder / "secrets").iterdir()]
    # In salted form it is as good for a login.
    salted = re.findall(
        r'saltedpassword="(.+?)"', (containers.folder / "broker-files/kafka.scram").read_text()
    )
    logs = [file.read_text(errors="replace") for file in (containers.folder / "logs").glob("*.log")]
    words = [Path(f"/proc/{process.pid}/cmdline").read_text() for process in containers.started]
    assert len(secrets) == 5 + len(load_topology().users)
    assert len(salted) == 1
    assert "kafka-storage.sh format" in (containers.folder / "logs/command-lines.log").read_text()
    assert not [secret for secret in (*secrets, *salted) for text in (*logs, *words) if secret in text]
