"""Starts the readers, and stores every record for the API."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import Any

from confluent_kafka import Message

from console.cache.cache import Cache
from console.cache.server import Server
from console.reading.flink import Job, read_jobs
from console.reading.kafka_facts import KafkaFacts
from console.reading.poller import AwayError, Poller
from console.reading.producer import Producer, ProducerApi
from console.reading.records import RecordReader
from console.reading.tail import Tail
from console.settings import Settings
from console.state.business import OUTCOMES, Business
from console.state.event import latency, logon_account, parse, read_event
from console.state.recent import Rejected, recent_events, recent_rejected
from console.state.results import Results, Row
from console.state.series import Series
from kafka_setup.cluster_facts import ClusterFacts

_REJECTED_BYTES = 2_048  # bytes of a rejected line that are stored
_LAST_EVENTS, _LAST_REJECTED, _LAST_ROWS = 100, 200, 20_000  # records of a partition, read at first


class Hub:
    """All data for the answers to requests. Runs from start() to stop()."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.began = settings, time.time()
        self.events, self.rejected, self.series = recent_events(), recent_rejected(), Series()
        self.results, self.business = Results(), Business()
        self._kafka = KafkaFacts(settings.kafka)
        self.kafka: Poller[ClusterFacts] = Poller("kafka", self._kafka.read)
        self.flink: Poller[list[Job]] | None = None
        if settings.flink_url:
            self.flink = Poller("flink", partial(read_jobs, settings.flink_url.rstrip("/")))
        self.producer_api: ProducerApi | None = None
        self.producer: Poller[Producer] | None = None
        if settings.producer_url:
            self.producer_api = ProducerApi(settings.producer_url, settings.producer_token)
            self.producer = Poller("producer", self.producer_api.status)
        self.records = RecordReader(settings.kafka)
        self.tail = Tail(settings.kafka, _starts(settings), self.take, self.results.forget, settings.max_rate)
        self.cache = self._open_cache()
        self.cache_looks: Poller[None] | None = None
        if self.cache:
            self.cache_looks = Poller("cache", self.cache.look)

    @property
    def rates(self) -> dict[str, float]:
        return self._kafka.rates

    def start(self) -> None:
        for each in self._threads():
            each.start()

    def stop(self) -> None:
        for each in self._threads():
            each.stop()
        self.records.close()
        if self.cache:
            with suppress(AwayError):
                self.cache.look()  # the records of the last second
            self.cache.close()

    def _threads(self) -> list[Tail | Poller[Any]]:
        polled = (self.cache_looks, self.kafka, self.flink, self.producer)
        return [*(each for each in polled if each is not None), self.tail]

    def _open_cache(self) -> Cache | None:
        """The cache; None without an address. Raises CacheSettingsError."""
        where, kafka = self.settings.cache, self.settings.kafka.bootstrap_servers
        if where is None:
            return None
        topics = self.settings.topics.results
        return Cache(
            Server(where), kafka, self.results, topics, lambda: self.series.totals, self.tail.has_read
        )

    def take(self, message: Message) -> None:
        """Store one record of a followed topic; called in the tail's thread."""
        topic, topics = message.topic(), self.settings.topics
        if topic == topics.events:
            self._take_event(message)
        elif topic == topics.rejected:
            self._take_rejected(message)
        else:
            self._take_row(message)

    def _take_event(self, message: Message) -> None:
        now = time.time()
        event = read_event(
            self.events.last + 1, message.partition(), message.offset(), now, message.value() or b""
        )
        self.events.add(event)
        # Records from before the start are shown, but they do not count as current.
        if self._is_new(message):
            delay = latency(event) if self.series.wants_latency(now) else None
            self.series.event(now, event.level, delay)
            outcome = OUTCOMES.get(event.event_id)
            if outcome and event.source == "Security":
                self.business.logon(now, outcome, logon_account(event))

    def _take_rejected(self, message: Message) -> None:
        value, headers = message.value() or b"", dict(message.headers() or ())
        self.rejected.add(
            Rejected(
                self.rejected.last + 1,
                message.partition(),
                message.offset(),
                _timestamp(message),
                _text(headers.get("reason")),
                _text(headers.get("endpoint")),
                len(value),
                value[:_REJECTED_BYTES],
            )
        )
        if self._is_new(message):
            self.series.rejected(time.time())

    def _take_row(self, message: Message) -> None:
        key = _text(message.key()) or f"{message.partition()}-{message.offset()}"
        value = message.value()
        if value is None:
            self.results.remove(message.topic(), key)
            return
        fields = parse(value) or {"value": _text(value)}
        place = (message.topic(), key, message.partition(), message.offset(), _timestamp(message))
        is_first = self.results.put(Row(*place, fields))
        if message.topic() == self.settings.topics.alerts and self._is_new(message):
            self.series.alert(time.time())
            if is_first:  # an alert that grows is still the same alert
                self.business.alert(_text_of(fields, "title", "rule", "rule_id"))

    def _is_new(self, message: Message) -> bool:
        place = (message.topic(), message.partition())
        return bool(message.offset() >= self.tail.ends_at_start.get(place, 0))


def _starts(settings: Settings) -> dict[str, int]:
    topics = settings.topics
    return {
        **dict.fromkeys(topics.results, _LAST_ROWS),
        topics.events: _LAST_EVENTS,
        topics.rejected: _LAST_REJECTED,
    }


def _text(value: bytes | str | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else (value or "")


def _text_of(fields: dict[str, Any], *names: str) -> str:
    """The text of the first field that is present."""
    return str(next((fields[name] for name in names if fields.get(name)), ""))


def _timestamp(message: Message) -> float | None:
    kind, milliseconds = message.timestamp()
    return milliseconds / 1000 if kind else None
