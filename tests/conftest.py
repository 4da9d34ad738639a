"""One real broker and one real Flink cluster for each process of the session, started when first asked for.

When they do not start, the tests that need them fail; nothing is skipped.
"""

from __future__ import annotations

import gc
import itertools
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from running import Job, RunningProducer, RunningStack, free_ports
from sharing import group_of, needs_no_server, rank
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# A busy machine draws values slowly: that is no fault of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_numbers = itertools.count(1)
_of_the_session: list[RunningStack] = []

# Servers that live for minutes: the second compiler costs a third of the processor time of a start, and is
# never paid back. What this toolkit runs under it, `make faults` and `make bench` show.
os.environ.setdefault("WIN_EVENT_JVM_OPTIONS", "-XX:TieredStopAtLevel=1")

# A shell starts what it runs in the background with SIGINT ignored, and children inherit that: Ctrl-C would
# not reach the tools under test.
signal.signal(signal.SIGINT, signal.default_int_handler)


class _FewClusters(LoadScopeScheduling):
    """Tests mostly wait for servers, so there are more processes than cores."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _FewClusters(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the groups to the processes in the order of the tests."""
    items.sort(key=lambda item: rank(item.nodeid))


def pytest_collection_finish() -> None:
    """What the imports left stays until the end: the garbage collector need not search it again and again."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="module", autouse=True)
def _no_job_is_left() -> Iterator[None]:
    """A test that fails before it cancels its job would leave the tests after it without a slot."""
    yield
    for job in Job.all_of_this_file:
        with suppress(OSError):  # its cluster is gone
            if not job.is_over:
                job.cancel()
    Job.all_of_this_file.clear()


@pytest.fixture(scope="session")
def _session_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = RunningStack.at(tmp_path_factory.mktemp("stack"))
    _of_the_session.append(running)
    yield running
    running.down()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Stop the servers before the unit tests: while they wait, they take a tenth of a core."""
    if needs_no_server(item.nodeid):
        while _of_the_session:
            _of_the_session.pop().down()


@pytest.fixture(scope="session")
def _ports() -> list[str]:
    names = ("--kafka-port", "--controller-port", "--flink-port", "--jobmanager-port")
    return [word for name, port in zip(names, free_ports(4), strict=True) for word in (name, str(port))]


@pytest.fixture(scope="session")
def broker(_session_stack: RunningStack, _ports: list[str]) -> RunningStack:
    """The broker with topics, users and permissions; Flink may not run.

    Flink will look for S3 at stack.s3_endpoint, where a test may start a server.
    """
    _session_stack.environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret"}
    s3 = ("--s3", "--s3-endpoint", f"http://127.0.0.1:{free_ports(1)[0]}")
    _session_stack.up("--only", "kafka", *_ports, *s3)
    return _session_stack


@pytest.fixture(scope="session")
def stack(broker: RunningStack) -> RunningStack:
    """The broker and the Flink cluster."""
    broker.up()
    return broker


@pytest.fixture
def topics(broker: RunningStack) -> tuple[str, str]:
    """Names of a fresh processed and a fresh rejected topic."""
    return broker.create_topics(str(next(_numbers)))


@pytest.fixture
def submit(stack: RunningStack, topics: tuple[str, str]) -> Iterator[Callable[..., Job]]:
    """Submits the bridge between a port and the test's topics; cancels it after the test.

    One client submits all jobs, except those with options of Flink.
    """
    jobs: list[Job] = []

    def start(port: int, *options: str, flink_options: Sequence[str] = (), **variables: str) -> Job:
        sink = ("--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1])
        words = ("--port", str(port), *sink, *options)
        if flink_options:
            jobs.append(stack.submit(*words, flink_options=flink_options, **variables))
        else:
            jobs.append(stack.submit_shared(*words, **variables))
        return jobs[-1]

    yield start
    for job in jobs:
        job.cancel()


@pytest.fixture
def producer(tmp_path: Path) -> Iterator[Callable[..., RunningProducer]]:
    """Starts win-event-producer with the options given; stops all of them after the test."""
    started: list[RunningProducer] = []

    def start(*options: str, port: int = 0) -> RunningProducer:
        started.append(RunningProducer(tmp_path, *options, port=port))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.stop()
