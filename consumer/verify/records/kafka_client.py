"""A Kafka client that reads partitions by offset; its errors are sentences for the person at the terminal."""

from __future__ import annotations

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from tenacity import Retrying, retry_if_exception_type, stop_after_delay

from consumer.verify.audit.records import AuditError
from consumer.verify.records.transactions import open_transaction
from kafka_setup.connection.session import KafkaUnavailableError, new_client, require_protocol
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection

_FIRST_CALL_SECONDS = 1.0  # then a refused login is told; each next call may take twice as long
_FATAL = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._RESOLVE)


class _NotReachedError(Exception):
    """The broker has not answered yet."""


class KafkaClient:
    """One topic. No consumer group is joined and nothing is committed."""

    def __init__(self, connection: KafkaConnection, topic: str, read_committed: bool) -> None:
        """Raises AuditError if the settings cannot be used, or only one side uses TLS."""
        self.last_error: KafkaError | None = None
        self._connection = connection
        self._topic = topic
        self._call_seconds = _FIRST_CALL_SECONDS
        try:
            require_protocol(connection)
            reading = _reading(read_committed) | {"error_cb": self._remember}
            self._consumer = new_client(Consumer, connection, reading)
        except KafkaUnavailableError as error:
            raise AuditError(str(error)) from error

    def ranges(self) -> dict[int, tuple[int, int]]:
        """Start and end offset of each partition, now. Raises AuditError."""
        try:
            return {partition: self._watermarks(partition) for partition in self._partitions()}
        except KafkaException as error:
            raise self.explain(error.args[0]) from error

    def end_offsets(self, *, stable: bool) -> dict[int, int]:
        """The current end offset of each partition: the last stable one, or also with open transactions.

        Raises AuditError.
        """
        level = IsolationLevel.READ_COMMITTED if stable else IsolationLevel.READ_UNCOMMITTED
        admin = AdminClient(self._connection.client_settings() | {"log_level": 0})
        wanted = {TopicPartition(self._topic, number): OffsetSpec.latest() for number in self._partitions()}
        asked = admin.list_offsets(wanted, isolation_level=level, request_timeout=REQUEST_TIMEOUT)
        try:
            return {place.partition: answer.result().offset for place, answer in asked.items()}
        except KafkaException as error:
            raise self.explain(error.args[0]) from error

    def open_transaction(self, partition: int) -> str:
        """The transaction that blocks readers of a partition; empty if the broker does not tell."""
        try:
            cluster = self._consumer.list_topics(self._topic, timeout=REQUEST_TIMEOUT)
        except KafkaException:
            return ""
        brokers = {number: (broker.host, broker.port) for number, broker in cluster.brokers.items()}
        leader = brokers.get(cluster.topics[self._topic].partitions[partition].leader)
        if leader is None:
            return ""
        found = open_transaction(self._connection, leader, brokers.values(), self._topic, partition)
        return str(found) if found else ""

    def assign(self, starts: dict[int, int]) -> None:
        """Read these partitions from these offsets on."""
        self._consumer.assign([TopicPartition(self._topic, *start) for start in starts.items()])

    def unassign(self) -> None:
        self._consumer.unassign()

    def consume(self, count: int, seconds: float) -> list[Message]:
        """Up to `count` messages and partition ends. Raises AuditError when the login is refused."""
        messages: list[Message] = self._consumer.consume(count, seconds)
        if not messages:
            self._raise_fatal()
        return messages

    def close(self) -> None:
        self._consumer.close()

    def explain(self, error: KafkaError) -> AuditError:
        """The error as a sentence that says what to do."""
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            user = self._connection.username
            return AuditError(
                f"user {user!r} may not read topic {self._topic}: is the name right? "
                "Then the user needs READ on it"
            )
        return AuditError(f"topic {self._topic}: {error.str()}")

    def _partitions(self) -> list[int]:
        reach = Retrying(
            retry=retry_if_exception_type(_NotReachedError),
            stop=stop_after_delay(REQUEST_TIMEOUT),
            reraise=True,
        )
        try:
            found = reach(self._metadata).topics[self._topic]
        except _NotReachedError as error:
            servers = self._connection.bootstrap_servers
            raise AuditError(f"no broker answers at {servers} ({error}): is it up?") from error
        if found.error is not None:
            raise self.explain(found.error)
        return sorted(found.partitions)

    def _metadata(self):  # type: ignore[no-untyped-def]  # ClusterMetadata; the library ships no types
        try:
            return self._consumer.list_topics(self._topic, timeout=self._call_seconds)
        except KafkaException as error:
            self._call_seconds *= 2  # an answer that comes after its call is lost
            self._consumer.poll(0)  # hands the pending errors to _remember
            self._raise_fatal()
            raise _NotReachedError((self.last_error or error.args[0]).str()) from error

    def _watermarks(self, partition: int) -> tuple[int, int]:
        partition_of_topic = TopicPartition(self._topic, partition)
        low, high = self._consumer.get_watermark_offsets(partition_of_topic, timeout=REQUEST_TIMEOUT)
        return low, high

    def _remember(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self.last_error = error

    def _raise_fatal(self) -> None:
        if self.last_error is None or self.last_error.code() not in _FATAL:
            return
        hint = "KAFKA_USERNAME and KAFKA_PASSWORD" if self._connection.uses_sasl else "--kafka-ca-file"
        where = f"{self._connection.bootstrap_servers} as {self._connection.username!r}"
        raise AuditError(f"cannot log in at {where}, check {hint}: {self.last_error.str()}")


def _reading(read_committed: bool) -> dict[str, object]:
    return {
        "group.id": "win-event-verify",  # the client requires one; with assign() it is never used
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed" if read_committed else "read_uncommitted",
        "queued.max.messages.kbytes": 4 * 1024,
        "fetch.queue.backoff.ms": 5,  # the default of a second stalls a reader that is as fast as the queue
        # Fetched data is decompressed at once: with lz4 it may become twenty times as large.
        "max.partition.fetch.bytes": 512 * 1024,
    }
