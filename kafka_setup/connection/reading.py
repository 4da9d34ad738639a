"""A reader in a consumer group whose caller commits, when the records that it read are processed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from kafka_setup.connection.session import new_client
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection

T = TypeVar("T")

_MOVING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
PASSING = (
    *_MOVING,
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._WAIT_COORD,
    KafkaError.REQUEST_TIMED_OUT,
)
"""Errors of a commit after which the same commit may succeed: no broker answers, or the coordinator moves."""


def open_group_reader(
    connection: KafkaConnection,
    group: str,
    on_error: Callable[[KafkaError], object] | None = None,
    **more: object,
) -> Consumer:
    """A consumer that reads only committed records and commits nothing itself.

    A partition without a record at the reader's position gives the error _AUTO_OFFSET_RESET, and is not read
    until it is assigned again: so nothing is skipped in silence. `on_error` is called, inside consume() and
    poll(), with errors that concern no partition, for example if no broker can be reached.
    `more`: further settings of the client, with `_` instead of dots. Raises LoginRefusedError.
    """
    reading: dict[str, object] = {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "fetch.queue.backoff.ms": 5,  # the default of a second stalls a reader that is as fast as the queue
        "fetch.wait.max.ms": 50,
        "queued.max.messages.kbytes": 32 * 1024,
    }
    if on_error is not None:
        reading["error_cb"] = on_error
    further = {name.replace("_", "."): value for name, value in more.items()}
    return new_client(Consumer, connection, reading | further)


def coordinated(ask: Callable[[], T]) -> T:
    """The answer of the group's coordinator; it retries, because a coordinator may be moving or new."""
    return Retrying(
        retry=retry_if_exception(_is_moving),
        wait=wait_fixed(0.5),
        stop=stop_after_delay(REQUEST_TIMEOUT),
        reraise=True,
    )(ask)


def _is_moving(error: BaseException) -> bool:
    return isinstance(error, KafkaException) and error.args[0].code() in _MOVING
