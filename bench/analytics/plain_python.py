"""A question in plain Python, for comparison: confluent-kafka, orjson, a dictionary.

`python -m bench.analytics.plain_python QUESTION TOPIC` reads the topic to its end and prints the
seconds that it took, and the rows.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from bench.analytics.by_hand import (
    WIDTH,
    Failure,
    Group,
    Row,
    Window,
    burst_rows,
    client_settings,
    failure_of,
    window_rows,
)


def level_windows(messages: Iterator[Message]) -> list[Row]:
    groups: defaultdict[Window, Group] = defaultdict(Group)
    for message in messages:
        event, ms = orjson.loads(message.value()), message.timestamp()[1]
        groups[ms // WIDTH, event["level"], event["source"]].add(ms, event["computer"])
    return list(window_rows(groups.items()))


def brute_force(messages: Iterator[Message]) -> list[Row]:
    failures: defaultdict[str, list[Failure]] = defaultdict(list)
    for message in messages:
        event = orjson.loads(message.value())
        if address := failure_of(event):
            failures[address].append((message.timestamp()[1], event["data"]["TargetUserName"]))
    return [row for address, group in failures.items() for row in burst_rows(address, group)]


QUESTIONS: dict[str, Callable[[Iterator[Message]], list[Row]]] = {
    "level_windows": level_windows,
    "brute_force": brute_force,
}


def main(question: str, topic: str) -> None:
    reader = Consumer({**client_settings(), "group.id": "win-event-bench"})
    parts = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(3)]
    left = sum(reader.get_watermark_offsets(part, timeout=60)[1] for part in parts)
    begin = time.monotonic()
    reader.assign(parts)
    rows = QUESTIONS[question](_messages(reader, left))
    seconds = time.monotonic() - begin
    reader.close()
    sys.stdout.buffer.write(orjson.dumps({"seconds": seconds, "rows": rows}))


def _messages(reader: Consumer, left: int) -> Iterator[Message]:
    while left:
        messages = reader.consume(min(left, 10_000), timeout=1.0)
        left -= len(messages)
        yield from messages


if __name__ == "__main__":
    main(*sys.argv[1:])
