"""The difference between a topology's topics and a cluster's. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from kafka_setup.changes import obstacles
from kafka_setup.changes.change import Change
from kafka_setup.changes.setting_values import same_value
from kafka_setup.topology.resources import ClusterState, Topic, TopicState, Topology


def plan_topic(topic: Topic, topology: Topology, state: ClusterState) -> Iterator[Change]:
    now = state.topics.get(topic.name)
    obstructed = obstacles.settings(topic, now, state.defaults)
    if now is None:
        yield _new_topic(topic, [obstacles.new_topic(topic, topology, state), *obstructed.values()])
        return
    differences = [
        *_partitions(topic, now),
        *_replication(topic, now),
        *_settings(topic, now, leave=obstructed),
        *(Change("blocked", "setting", topic, detail, key) for key, detail in obstructed.items()),
    ]
    as_wanted = f"{now.partitions} partitions, replication factor {now.replication_factor}"
    yield from differences or [Change("exists", "topic", topic, as_wanted)]


def _new_topic(topic: Topic, found: Sequence[str | None]) -> Change:
    if in_the_way := [obstacle for obstacle in found if obstacle]:
        return Change("blocked", "topic", topic, "; ".join(in_the_way))
    replication = topic.replication_factor or "the broker's default"
    return Change(
        "create", "topic", topic, f"{topic.partitions} partitions, replication factor {replication}"
    )


def _partitions(topic: Topic, now: TopicState) -> Iterator[Change]:
    if topic.partitions > now.partitions:
        warning = "a key may move to another partition: its order holds before and after that, not across it"
        detail = f"{now.partitions} → {topic.partitions}; {warning}"
        yield Change("change", "partitions", topic, detail)
    elif topic.partitions < now.partitions:
        detail = (
            f"{topic.name} has {now.partitions} partitions, the topology says {topic.partitions}: "
            "left unchanged: Kafka cannot remove partitions"
        )
        yield Change("remark", "partitions", topic, detail)


def _replication(topic: Topic, now: TopicState) -> Iterator[Change]:
    if topic.replication_factor not in (None, now.replication_factor):
        detail = f"{now.replication_factor} → {topic.replication_factor}: use kafka-reassign-partitions.sh"
        yield Change("blocked", "replication", topic, detail)


def _settings(topic: Topic, state: TopicState, leave: Collection[str]) -> Iterator[Change]:
    for key, wanted in topic.config.items():
        now = state.config.get(key)
        if key in leave:
            continue
        if wanted is None and key in state.overrides:
            yield Change("change", "setting", topic, f"{key} {now} → the broker's default", key, None)
        elif wanted is not None and (now is None or not same_value(wanted, now)):
            yield Change("change", "setting", topic, f"{key} {now} → {wanted}", key, wanted)
