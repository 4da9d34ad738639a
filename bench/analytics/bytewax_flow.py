"""A question in Bytewax, as its documentation builds flows: a Kafka source, windows in event time.

`python -m bench.analytics.bytewax_flow QUESTION TOPIC` reads the topic to its end and prints the
seconds that it took, and the rows.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
from bytewax.testing import TestingSink, run_main

from bench.analytics.by_hand import (
    WIDTH,
    Failure,
    Group,
    Row,
    burst_rows,
    client_settings,
    failure_of,
    window_rows,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LONGEST = timedelta(days=1)  # partitions are read in turn: nothing is late, and the end closes all windows
_BATCH = 10_000


def level_windows(events: Any) -> Any:
    keyed = op.map("key", events, _of_window)
    clock = EventClock(_time, wait_for_system_duration=_LONGEST)
    windower = TumblingWindower(length=timedelta(milliseconds=WIDTH), align_to=_EPOCH)
    windows = fold_window("count", keyed, clock, windower, Group, _add, _both, ordered=False)
    return op.flat_map("row", windows.down, _rows_of_window)


def brute_force(events: Any) -> Any:
    failures = op.filter_map("failed", events, _failed)
    groups = op.fold_final("gather", failures, list, _gather)
    return op.flat_map("burst", groups, lambda keyed: burst_rows(*keyed))


QUESTIONS = {"level_windows": level_windows, "brute_force": brute_force}


def main(question: str, topic: str) -> None:
    login = {name: str(value) for name, value in client_settings().items()}
    servers = login.pop("bootstrap.servers")
    login["group.id"] = "win-event-bench"  # librdkafka asks for its coordinator, which not every name may
    source = KafkaSource([servers], [topic], tail=False, add_config=login, batch_size=_BATCH)
    rows: list[Row] = []
    flow = Dataflow(question)
    events = op.input("read", flow, source)
    op.output("rows", QUESTIONS[question](events), TestingSink(rows))
    begin = time.monotonic()
    run_main(flow)
    sys.stdout.buffer.write(orjson.dumps({"seconds": time.monotonic() - begin, "rows": rows}))


def _of_window(message: Any) -> tuple[str, tuple[int, str]]:
    event = orjson.loads(message.value)
    return f"{event['level']} {event['source']}", (message.timestamp[1], event["computer"])


def _time(value: tuple[int, str]) -> datetime:
    return _EPOCH + timedelta(milliseconds=value[0])


def _add(group: Group, value: tuple[int, str]) -> Group:
    return group.add(*value)


def _both(one: Group, other: Group) -> Group:
    raise AssertionError("tumbling windows are never merged")


def _rows_of_window(keyed: tuple[str, tuple[int, Group]]) -> list[Row]:
    key, (window, group) = keyed
    level, _, source = key.partition(" ")
    return list(window_rows([((window, level, source), group)]))


def _gather(group: list[Failure], failure: Failure) -> list[Failure]:
    group.append(failure)
    return group


def _failed(message: Any) -> tuple[str, tuple[int, str]] | None:
    event = orjson.loads(message.value)
    if (address := failure_of(event)) is None:
        return None
    return address, (message.timestamp[1], event["data"]["TargetUserName"])


if __name__ == "__main__":
    main(*sys.argv[1:])
