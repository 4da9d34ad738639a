"""A stack of three brokers over TLS: the set-up works, and a killed broker stops nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer, TopicCollection
from confluent_kafka.admin import ConfigResource
from running import BIN, RunningProducer, RunningStack, free_ports, of_the_bridge, run, wait_until

from kafka_setup.connection.session import open_admin
from kafka_setup.connection.settings import read_password_file
from kafka_setup.topology.file import default_topology_text
from local_stack import processes
from local_stack.broker import broker, kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.jars.java import java_home

pytestmark = [pytest.mark.integration, pytest.mark.faults]

TOPIC = "events_processed"
ODD = ("kafka", "controller", "admin", "reader")  # these have passwords as a person may set them


def odd_password(user: str) -> str:
    return f'Win\\Temp9 "{user}", ü=1\n'


def java_that_keeps_its_command_lines(folder: Path) -> Path:
    """A JAVA_HOME that writes every command line into `folder`/command-lines."""
    java = folder / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f'#!/bin/sh\necho "$@" >> {folder}/command-lines\nexec {java_home()}/bin/java "$@"\n')
    java.chmod(0o755)
    (java.parent.parent / "release").symlink_to(java_home() / "release")
    return java.parent.parent


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = RunningStack.at(tmp_path_factory.mktemp("three"))
    running.stack.save()  # else `up` takes the folder for somebody else's
    running.stack.secrets.mkdir()
    for user in ODD:
        (running.stack.secrets / user).write_text(odd_password(user), encoding="utf-8")
    running.environment["JAVA_HOME"] = str(java_that_keeps_its_command_lines(running.stack.directory))
    first, *_, flink, jobmanager = free_ports(8)
    ports = {"kafka": first, "controller": first + 1, "flink": flink, "jobmanager": jobmanager}
    options = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    topology = running.stack.directory / "of-the-bridge.yaml"
    topology.write_text(of_the_bridge(default_topology_text()))
    try:
        running.up("--only", "kafka", "--tls", "--brokers", "3", "--topology", str(topology), *options)
        yield running
    finally:
        running.down()


def in_sync(three: RunningStack) -> list[int]:
    """How many replicas of each partition are in sync; empty while no controller answers."""
    admin = open_admin(kafka_objects.connection(three.stack, SUPER_USER))
    try:
        described = admin.describe_topics(TopicCollection([TOPIC]))[TOPIC].result()
    except KafkaException:
        return []
    return [len(partition.isr) for partition in described.partitions]


def end_offsets(three: RunningStack) -> int:
    report = three.verify(TOPIC)
    return int(report["records"])


def test_every_role_is_held_to_its_permissions_over_tls(three: RunningStack) -> None:
    assert three.shell()["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    checked = (BIN / "win-event-kafka-setup", "check", "--password-dir", three.stack.secrets)
    # As anybody would type it: the folder has the password of `admin`, too.
    unnamed = dict.fromkeys(("KAFKA_USERNAME", "KAFKA_PASSWORD_FILE", "WIN_EVENT_PASSWORD_DIR"), "")
    result = run(*checked, env=three.shell() | unnamed)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "TOPIC_AUTHORIZATION_FAILED" in result.stdout


def test_any_password_logs_in_with_kafkas_own_tools_too(three: RunningStack) -> None:
    config = three.shell()["KAFKA_ADMIN_CONFIG"]
    servers = ("--bootstrap-server", three.stack.bootstrap_servers, "--command-config", config)
    listed = run(three.stack.bin / "kafka-topics.sh", *servers, "--list", env=three.shell())
    assert TOPIC in listed.stdout.split(), listed.stderr


def test_no_password_was_on_a_command_line_nor_its_salted_form(three: RunningStack) -> None:
    lines = (three.stack.directory / "command-lines").read_text()
    assert lines.count("StorageTool format") == 3
    salted = re.findall(
        r'saltedpassword="(.+?)"', (three.stack.kafka_logins.parent / "kafka.scram").read_text()
    )
    passwords = [read_password_file(file) for file in three.stack.secrets.iterdir()]
    assert not [secret for secret in (*passwords, *salted) if secret in lines]
    assert "saltedpassword" not in lines


def test_the_authority_is_needed_and_its_key_is_gone(three: RunningStack, tmp_path: Path) -> None:
    environment = three.shell("admin")
    del environment["KAFKA_CA_FILE"]
    without = run(BIN / "win-event-kafka-setup", "plan", env=environment)
    assert without.returncode == 1
    assert "set KAFKA_CA_FILE to its authority" in without.stderr
    plain = run(
        *(BIN / "win-event-kafka-setup", "plan", "--wait", "1"),
        env={**three.shell("admin"), "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
    )
    assert plain.returncode == 1
    assert three.stack.ca_file is not None
    files = {path.name: path for path in three.stack.ca_file.parent.iterdir()}
    assert set(files) == {"ca.pem", "broker.pem"}
    assert stat.S_IMODE(files["broker.pem"].stat().st_mode) == 0o600
    assert files["broker.pem"].read_text().count("PRIVATE KEY") == 2  # one key: its first and its last line


def test_topics_have_three_replicas_of_which_two_must_be_in_sync(three: RunningStack) -> None:
    wait_until(lambda: in_sync(three) == [3, 3, 3], "three replicas in sync")
    resource = ConfigResource(ConfigResource.Type.TOPIC, TOPIC)
    admin = open_admin(kafka_objects.connection(three.stack, SUPER_USER))
    (config,) = admin.describe_configs([resource]).values()
    assert config.result()["min.insync.replicas"].value == "2"


@pytest.mark.nightly  # minutes; `make faults ROWS=leader-kill` does the same under load
def test_a_killed_broker_stops_neither_a_producer_nor_the_bridge(
    three: RunningStack, producer: Callable[..., RunningProducer], tmp_path: Path
) -> None:
    three.up()  # Flink, too
    wait_until(lambda: in_sync(three) == [3, 3, 3], "three replicas in sync")
    ledger = tmp_path / "ledger.ndjson"
    events = producer("--rate", "500", "--ledger", str(ledger), "--wait-for-clients", "1")
    job = three.submit("--hostname", "127.0.0.1", "--port", str(events.port))
    before = wait_until(lambda: end_offsets(three), "the bridge delivers")

    victim = processes.running(three.stack, broker.name(2))
    assert victim is not None
    os.kill(victim.pid, signal.SIGKILL)

    wait_until(lambda: in_sync(three) == [2, 2, 2], "the cluster noticed the kill")
    wait_until(lambda: end_offsets(three) > before + 1000, "the bridge goes on")
    acknowledged = produce_with_all_acks(three, 200)
    assert acknowledged == 200
    assert events.stop() == 0
    last = wait_until(lambda: three.verify(TOPIC, "--ledger", str(ledger)), "a report")
    lost = wait_until(lambda: nothing_lost(three, ledger), "all that was produced arrives", told=lambda: last)
    assert lost
    job.cancel()

    three.up()
    wait_until(lambda: in_sync(three) == [3, 3, 3], "the broker catches up after `up`")


def nothing_lost(three: RunningStack, ledger: Path) -> bool:
    report = three.verify(TOPIC, "--ledger", str(ledger))
    return report["lost"] == 0 and report["unseen"] == 0


def produce_with_all_acks(three: RunningStack, count: int) -> int:
    """How many records all replicas in sync confirmed."""
    confirmed: list[object] = []
    connection = kafka_objects.connection(three.stack, "bridge")
    client = Producer({**connection.client_settings(), "acks": "all", "enable.idempotence": True})
    for number in range(count):
        value = json.dumps({"computer": "-", "number": number})
        client.produce("events_rejected", value, on_delivery=lambda error, _: confirmed.append(error))
    assert client.flush(60) == 0
    return sum(error is None for error in confirmed)
