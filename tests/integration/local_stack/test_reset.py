"""win-event-stack reset: one part is new, the others are not changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from running import BIN, RunningProducer, RunningStack, free_ports, run, wait_until

from local_stack import processes
from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.layout import Stack
from local_stack.observe import find_tool

pytestmark = pytest.mark.integration


def reset(broker: RunningStack, *words: str, answer: str = "") -> Any:
    return run(BIN / "win-event-stack", "reset", *words, env=broker.environment, input=answer, timeout=120)


def records(broker: RunningStack, topic: str) -> int:
    return int(broker.verify(topic, "--any-order", "--allow-gaps", user=SUPER_USER)["records"])


def test_a_topic_is_empty_again_and_others_are_left_alone(
    broker: RunningStack, topics: tuple[str, str]
) -> None:
    client = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings())
    for topic in topics:
        client.produce(topic, b"{}", key=b"k")
    assert client.flush(60) == 0
    refused = reset(broker, "topics", topics[0], answer="n\n")
    assert refused.returncode == 1
    assert records(broker, topics[0]) == 1
    done = reset(broker, "topics", topics[0], "--yes")
    assert done.returncode == 0, done.stderr
    assert f"removed topic {topics[0]}" in done.stderr
    assert records(broker, topics[1]) == 1
    unknown = reset(broker, "topics", "no-such-topic", "--yes")
    assert unknown.returncode == 1
    assert "there is no topic no-such-topic" in unknown.stderr


def test_jobs_are_cancelled_then_their_checkpoints_may_go(
    stack: RunningStack, topics: tuple[str, str], producer: Callable[..., RunningProducer]
) -> None:
    endpoint = producer("--rate", "100")
    names = ("--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1], "--job-name", "to-be-reset")
    job = stack.submit_shared("--port", str(endpoint.port), "--checkpoint-interval", "1", *names)
    kept = stack.stack.checkpoints
    wait_until(lambda: list(kept.glob(f"{job.job_id}/chk-*/_metadata")), "a checkpoint is complete")
    refused = reset(stack, "checkpoints", "--yes")
    assert refused.returncode == 1
    assert "to-be-reset still runs and needs this" in refused.stderr.replace("\n", " ")
    unknown = reset(stack, "jobs", "to-be-reset", "no-such-job", "--yes")
    assert (unknown.returncode, "no job no-such-job runs" in unknown.stderr) == (1, True)
    assert job.state() == "RUNNING"
    done = reset(stack, "jobs", "to-be-reset", "--yes")
    assert f"cancelled to-be-reset ({job.job_id})" in done.stderr, done.stderr
    assert list(kept.glob(f"{job.job_id}/chk-*/_metadata")), "its checkpoints stay"
    gone = reset(stack, "checkpoints", "--yes")
    assert f"emptied {kept}" in gone.stderr, gone.stderr
    assert list(kept.iterdir()) == []


def test_what_prometheus_has_kept_goes_and_nothing_else(tmp_path: Path) -> None:
    """In a folder of its own: a Prometheus that runs is stopped first."""
    stack = Stack(tmp_path / "stack", prometheus_port=free_ports(1)[0], run_id=uuid.uuid4().hex)
    stack.save()
    folder = stack.directory / "prometheus"
    (folder / "data").mkdir(parents=True)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    command = [find_tool("prometheus"), f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{stack.prometheus_port}"]
    daemon = processes.start(stack, "prometheus", [str(word) for word in command], {}, folder)
    try:
        processes.wait_until_listening(daemon, stack.prometheus_port)
        wait_until(lambda: list((folder / "data").iterdir()), "it keeps something")
        words = (BIN / "win-event-stack", "reset", "metrics", "--yes")
        done = run(*words, env={"WIN_EVENT_STACK_DIR": str(stack.directory)})
        assert done.returncode == 0, done.stderr
        assert "stopped prometheus" in done.stderr
        assert daemon.process() is None
        assert list((folder / "data").iterdir()) == []
        assert (folder / "prometheus.yml").exists()
    finally:
        processes.stop(stack, daemon)


def test_the_positions_of_a_group_are_forgotten(broker: RunningStack, topics: tuple[str, str]) -> None:
    login = kafka_objects.connection(broker.stack, "reader").client_settings()
    client = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings())
    client.produce(topics[0], b"{}", key=b"k")
    assert client.flush(60) == 0
    reader = Consumer({**login, "group.id": "win-event-reset", "auto.offset.reset": "earliest"})
    reader.subscribe([topics[0]])
    assert reader.poll(60) is not None
    reader.commit(asynchronous=False)
    busy = reset(broker, "groups", "win-event-reset", "--yes")
    assert "has readers" in busy.stderr
    reader.close()
    done = reset(broker, "groups", "win-event-reset", "--yes")
    assert "deleted the positions of group win-event-reset" in done.stderr, done.stderr
    assert reset(broker, "groups", "win-event-reset", "--yes").returncode == 1
