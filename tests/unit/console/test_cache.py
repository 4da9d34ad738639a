"""The cache with a real Valkey server: what is stored, and the answers while the server does not work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from caching import RunningCache
from prometheus_client import CollectorRegistry

from console.cache.cache import Cache
from console.cache.metrics import Lookups
from console.cache.server import MAX_BYTES, Server
from console.cache.settings import CacheServer, CacheSettingsError, read_url
from console.reading.poller import AwayError
from console.state.results import Results, Row
from console.state.series import NAMES
from kafka_setup.connection.settings import Secret

PASSWORD = "not for everyone"
ROWS_KEY, COUNTS_KEY = "win-event-console:1:here:rows:alerts", "win-event-console:1:here:counts"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def _server(folder: Path) -> Iterator[RunningCache]:
    server = RunningCache(folder, password=PASSWORD)
    yield server
    server.kill()


@pytest.fixture
def server(_server: RunningCache) -> RunningCache:
    """An empty cache."""
    _server.client.flushall()
    return _server


@pytest.fixture
def own_server(folder: Path) -> Iterator[RunningCache]:
    """A server that the test may damage."""
    server = RunningCache(folder)
    yield server
    server.kill()


class Memory:
    """What one console holds; `is_read`: whether its Kafka was read up to the end."""

    def __init__(self, server: RunningCache, password: str = "", is_read: bool = False) -> None:
        self.results, self.totals, self.is_read = Results(), dict.fromkeys(NAMES, 0), is_read
        where = CacheServer(server.url, Secret(password) if password else None)
        self.cache = Cache(
            Server(where), "here", self.results, ("alerts",), lambda: self.totals, lambda _: self.is_read
        )

    def rows(self) -> list[tuple[str, int]]:
        """As a request for alerts sees them."""
        self.cache.answered("alerts")
        return [(row.key, row.offset) for row in self.results.newest("alerts", 10)]

    def errors(self) -> int:
        return self.cache.counts().by_level["Error"]

    def problem(self) -> str:
        with pytest.raises(AwayError) as raised:
            self.cache.look()
        return str(raised.value)


def row(key: str, offset: int) -> Row:
    return Row("alerts", key, 0, offset, float(offset), {"n": offset})


def samples(lookups: Lookups) -> dict[tuple[str, ...], float]:
    """The counters that are not 0: ("hits", kind) or ("misses", kind, reason)."""
    found = [
        sample for metric in lookups.metrics() for sample in metric.samples if sample.name.endswith("_total")
    ]
    return {
        (sample.name.split("_")[4], *sample.labels.values()): sample.value for sample in found if sample.value
    }


@pytest.fixture
def filled(server: RunningCache) -> RunningCache:
    """A console was here: of its alerts b changed last; it counted 5 errors."""
    first = Memory(server, PASSWORD, is_read=True)
    for each in (row("b", 1), row("a", 2), row("gone", 3), row("b", 4)):
        first.results.put(each)
    first.results.remove("alerts", "gone")
    first.totals["Error"] = 5
    first.cache.look()
    return server


def test_a_console_that_starts_again_answers_before_kafka_does(filled: RunningCache) -> None:
    again = Memory(filled, PASSWORD)
    again.cache.look()
    assert again.rows() == [("b", 4), ("a", 2)]
    assert [each.since for each in again.results.newest("alerts", 10)] == [1.0, 2.0]
    again.totals["Error"] = 1
    assert again.errors() == 6
    assert samples(again.cache.lookups) == {("hits", "alerts"): 1, ("hits", "counts"): 1}


def test_counts_go_on_over_many_starts(filled: RunningCache) -> None:
    since = set()
    for number in range(1, 4):
        again = Memory(filled, PASSWORD)
        again.cache.look()
        again.totals["Error"] = 10
        again.cache.look()
        assert again.errors() == 5 + 10 * number
        since.add(again.cache.counts().since)
    assert len(since) == 1


def test_what_kafka_says_replaces_what_is_remembered(filled: RunningCache) -> None:
    again = Memory(filled, PASSWORD)
    again.results.put(row("new", 7))
    again.cache.look()
    assert again.rows() == [("new", 7), ("b", 4), ("a", 2)]
    again.results.put(row("a", 8))
    assert again.rows() == [("a", 8), ("new", 7), ("b", 4)]
    again.is_read = True  # and b was not in the topic any more
    again.cache.look()
    assert again.rows() == [("a", 8), ("new", 7)]
    third = Memory(filled, PASSWORD)
    third.cache.look()
    assert third.rows() == [("a", 8), ("new", 7)]


def test_a_topic_that_was_read_needs_no_cache(filled: RunningCache) -> None:
    again = Memory(filled, PASSWORD, is_read=True)
    again.cache.look()
    assert again.rows() == []
    assert samples(again.cache.lookups) == {}


def test_an_empty_cache_is_a_miss_and_is_filled(server: RunningCache) -> None:
    console = Memory(server, PASSWORD)
    console.cache.look()
    assert (console.rows(), console.errors()) == ([], 0)
    assert samples(console.cache.lookups) == {
        ("misses", "alerts", "empty"): 1,
        ("misses", "counts", "empty"): 1,
    }
    assert not server.client.exists(ROWS_KEY)  # memory knows no better yet
    console.is_read = True
    console.results.put(row("a", 1))
    console.cache.look()
    assert b'"n":1' in server.client.get(ROWS_KEY)
    assert 0 < server.client.ttl(ROWS_KEY) <= 7 * 24 * 3600


FOREIGN: dict[str, Callable[[Any, str], object]] = {
    "another type": lambda client, key: client.rpush(key, "a", "b"),
    "no JSON": lambda client, key: client.set(key, b"\xff\xfe"),
    "another form": lambda client, key: client.set(key, '[{"topic": "alerts", "key": 5}]'),
    "another topic": lambda client, key: client.set(
        key, '[{"topic":"x","key":"k","partition":0,"offset":0,"timestamp":null,"fields":{}}]'
    ),
    "too deep": lambda client, key: client.set(key, "[" * 100_000),
    "too large": lambda client, key: client.setrange(key, MAX_BYTES + 1, b"x"),
    "negative": lambda client, key: client.set(key, '{"since":1,"by_level":{"Error":-1}}'),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_value_is_a_miss_and_is_replaced(server: RunningCache, kind: str) -> None:
    for key in (ROWS_KEY, COUNTS_KEY):
        FOREIGN[kind](server.client, key)
    console = Memory(server, PASSWORD)
    console.cache.look()
    assert (console.rows(), console.errors()) == ([], 0)
    assert samples(console.cache.lookups) == {
        ("misses", "alerts", "foreign"): 1,
        ("misses", "counts", "foreign"): 1,
    }
    console.is_read = True
    console.results.put(row("a", 1))
    console.totals["Error"] = 2
    console.cache.look()
    again = Memory(server, PASSWORD)
    again.cache.look()
    assert (again.rows(), again.errors()) == ([("a", 1)], 2)


def test_a_cache_that_is_killed_costs_no_answer(own_server: RunningCache) -> None:
    console = Memory(own_server, is_read=True)
    console.results.put(row("a", 1))
    console.totals["Error"] = 3
    console.cache.look()
    own_server.kill()
    console.results.put(row("b", 2))
    assert own_server.url in console.problem()
    assert (console.rows(), console.errors()) == ([("b", 2), ("a", 1)], 3)
    own_server.start()  # and has forgotten everything
    console.cache.look()
    again = Memory(own_server)
    again.cache.look()
    assert (again.rows(), again.errors()) == ([("b", 2), ("a", 1)], 3)


def test_a_cache_that_is_away_at_the_start_is_a_miss_until_it_comes(own_server: RunningCache) -> None:
    own_server.kill()
    console = Memory(own_server)
    console.problem()
    assert console.rows() == []
    assert samples(console.cache.lookups) == {("misses", "alerts", "away"): 1}
    own_server.start()
    first = Memory(own_server, is_read=True)
    first.results.put(row("a", 1))
    first.cache.look()
    console.cache.look()
    assert console.rows() == [("a", 1)]


def test_a_cache_that_accepts_and_never_answers_costs_no_answer(own_server: RunningCache) -> None:
    console = Memory(own_server, is_read=True)
    own_server.freeze()
    console.results.put(row("a", 1))
    assert "does not answer" in console.problem()
    assert console.rows() == [("a", 1)]


@pytest.mark.parametrize("given", ["", "wrong-one"])
def test_a_wrong_password_is_said_and_not_shown(server: RunningCache, given: str) -> None:
    console = Memory(server, given, is_read=True)
    console.results.put(row("a", 1))
    problem = console.problem()
    assert "WIN_EVENT_CACHE_PASSWORD" in problem
    assert "wrong-one" not in problem
    assert console.rows() == [("a", 1)]


def test_a_full_cache_is_said_and_still_read(own_server: RunningCache) -> None:
    first = Memory(own_server, is_read=True)
    first.results.put(row("a", 1))
    first.cache.look()
    own_server.client.config_set("maxmemory", 1)
    console = Memory(own_server)
    console.totals["Error"] = 1
    problem = console.problem()
    assert "maxmemory" in problem
    assert "by_level" not in problem
    assert console.rows() == [("a", 1)]


def test_every_series_is_there_from_the_start() -> None:
    registry = CollectorRegistry()

    class Collected:
        def collect(self) -> object:
            return Lookups(("alerts",)).metrics()

    registry.register(Collected())  # type: ignore[arg-type]
    assert registry.get_sample_value("win_event_console_cache_hits_total", {"kind": "alerts"}) == 0
    for reason in ("away", "empty", "foreign"):
        labels = {"kind": "alerts", "reason": reason}
        assert registry.get_sample_value("win_event_console_cache_misses_total", labels) == 0


@pytest.mark.parametrize(
    ("text", "url", "password"),
    [
        ("redis://cache", "redis://cache:6379/0", None),
        ("rediss://cache.corp:6380/2", "rediss://cache.corp:6380/2", None),
        ("redis://:p%40ss@cache", "redis://cache:6379/0", "p@ss"),
        ("redis://me:secret@[::1]:7000", "redis://me@[::1]:7000/0", "secret"),
    ],
)
def test_an_address_is_shown_without_its_password(text: str, url: str, password: str | None) -> None:
    found = read_url(text)
    assert (found.url, found.password) == (url, password)
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "text", ["http://cache", "redis://", "cache:6379", "redis://x:nothing", "redis://x/db", "redis://x?db=1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(CacheSettingsError):
        read_url(text)
