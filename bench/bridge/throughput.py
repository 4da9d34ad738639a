"""The bridge beside the limit of the platform and its alternatives, and how its cost grows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import psutil

from bench.bridge import kcat
from bench.bridge.cluster import Cluster
from bench.harness import Case, Section
from bench.log_server import LogServer, make_log
from bench.measurement import Sample

HERE = Path(__file__).resolve().parent
LINE_BYTES = 330
EVENT_BYTES = 1_200  # about the mean of the events that win-event-producer makes
_BLOCK_LINES = 100_000
_GROWING = 4_000_000  # lines of a run with more endpoints, partitions or writers
_BYTES = 2_500_000_000  # of a run whose events grow
HEADERS = ("--headers", "source,level,event_id")
_WITH_AND_WITHOUT = {"without headers": (), " ".join(HEADERS): HEADERS}
_REQUIRED = ("--require", "timestamp,level,source,message")
ALL_OPTIONS = ("--event-timestamps", *HEADERS, *_REQUIRED)
_SHARED = (
    "All jobs share a TaskManager, whose memory only grows: the peak of a case contains that of the cases "
    "before it."
)
SOCKET = ("--source", "socket")
EXACTLY_ONCE = ("--delivery-guarantee", "exactly-once", "--checkpoint-interval", "2")


@dataclass(frozen=True)
class Work:
    """One run: `count` lines of `line_bytes` in total, from so many endpoints, into so many partitions."""

    count: int
    line_bytes: int = LINE_BYTES
    endpoints: int = 1
    partitions: int = 3


def sections(quick: bool, cluster: Cluster) -> list[Section]:
    # Each job has separate classes, which the JVM compiles again: a short run would measure the compiler.
    work = Work(400_000 if quick else 8_000_000)
    found = [_compared(work, cluster, quick)]
    if not quick:
        found += [
            _options(work, cluster),
            _headers(cluster),
            _sizes(cluster),
            _endpoints(cluster),
            _partitions(cluster),
            _subtasks(cluster),
        ]
    return found


def _compared(work: Work, cluster: Cluster, quick: bool) -> Section:
    committed = replace(work, count=max(work.count, 1_500_000))  # the work of several commits
    cases = [
        Case("raw pass-through (Flink, no parsing)", partial(peer, cluster, work, "raw")),
        Case("auto", partial(bridge, cluster, work, ())),
        Case("auto, all options", partial(bridge, cluster, work, ALL_OPTIONS)),
        Case("socket", partial(bridge, cluster, work, SOCKET)),
        Case("auto, exactly-once", partial(bridge, cluster, committed, EXACTLY_ONCE), against="auto"),
        Case("plain Python (orjson, confluent-kafka)", partial(_plain_python, cluster, work)),
    ]
    if not quick:
        cases.insert(1, Case("by hand in Java (Jackson, a tree)", partial(peer, cluster, work, "java")))
        socket = (*SOCKET, *ALL_OPTIONS)
        cases.insert(5, Case("socket, all options", partial(bridge, cluster, work, socket)))
    absent = _kcat_case(cases, cluster, work)
    options = " ".join(ALL_OPTIONS)
    note = (
        f"{work.count:,} lines of {work.line_bytes} bytes wait in a server that needs almost no processor "
        "time. The time is measured from the moment when a fifth of the records is in Kafka to the last "
        f"record. {_SHARED} All options: {options}. The ratio of exactly-once is that to auto."
    )
    return Section("comparison", "The bridge", "records/s", cases, cases[0].name, note, absent=absent)


def _options(work: Work, cluster: Cluster) -> Section:
    """The cost of each option beside the default, and of the default beside no event time."""
    words = {
        "default": (),
        "--no-event-timestamps": ("--no-event-timestamps",),
        "--headers": HEADERS,
        "--require": _REQUIRED,
    }
    cases = [Case(name, partial(bridge, cluster, work, given)) for name, given in words.items()]
    return Section("options", "What options cost", "records/s", cases, "default", _SHARED)


def _headers(cluster: Cluster) -> Section:
    """The cost of headers with lines as long as the events of win-event-producer."""
    work = Work(_BYTES // EVENT_BYTES // _BLOCK_LINES * _BLOCK_LINES, line_bytes=EVENT_BYTES)
    cases = [Case(name, partial(bridge, cluster, work, given)) for name, given in _WITH_AND_WITHOUT.items()]
    note = f"{work.count:,} lines of {EVENT_BYTES:,} bytes, as long as those of win-event-producer. {_SHARED}"
    return Section("headers", "What three headers cost", "records/s", cases, "without headers", note)


def _sizes(cluster: Cluster) -> Section:
    def cases() -> Iterator[Case]:
        for size in (LINE_BYTES, 1024, 4096):
            work = Work(_BYTES // size // _BLOCK_LINES * _BLOCK_LINES, line_bytes=size)
            raw = f"raw @ {size} B"
            yield Case(raw, partial(peer, cluster, work, "raw"), x=size, against=raw)
            yield Case(f"auto @ {size} B", partial(bridge, cluster, work, ()), x=size, against=raw)
            yield Case(f"socket @ {size} B", partial(bridge, cluster, work, SOCKET), x=size, against=raw)

    return _growth("event size", "Growing events", "bytes a line", list(cases()), f"raw @ {LINE_BYTES} B")


def _endpoints(cluster: Cluster) -> Section:
    cases = [
        Case(f"auto @ {number}", partial(bridge, cluster, Work(_GROWING, endpoints=number), ()), x=number)
        for number in (1, 4, 8)
    ]
    return _growth("endpoints", "More endpoints in one job", "endpoints", cases, "auto @ 1")


def _partitions(cluster: Cluster) -> Section:
    cases = [
        Case(f"auto @ {number}", partial(bridge, cluster, Work(_GROWING, partitions=number), ()), x=number)
        for number in (1, 3, 12)
    ]
    return _growth("partitions", "More partitions", "partitions", cases, "auto @ 1")


def _subtasks(cluster: Cluster) -> Section:
    cases = [
        Case(
            f"auto @ {number}",
            partial(bridge, cluster, Work(_GROWING), ("--sink-parallelism", str(number))),
            x=number,
        )
        for number in (1, 2, 4)
    ]
    return _growth("sink subtasks", "More sink subtasks", "sink subtasks", cases, "auto @ 1")


def _growth(name: str, title: str, axis: str, cases: list[Case], yardstick: str) -> Section:
    return Section(name, title, "records/s", cases, yardstick, note=_SHARED, axis=axis)


def bridge(cluster: Cluster, work: Work, options: Sequence[str]) -> Sample:
    with ExitStack() as cleanup:
        # With transactions, the last record is visible after a checkpoint: until then, the load continues.
        spare = 10 * _BLOCK_LINES if "exactly-once" in options else 0
        each = work.count // work.endpoints + spare
        servers = [_server(each, work.line_bytes) for _ in range(work.endpoints)]
        for server in servers:
            cleanup.callback(server.close)
        topics = cleanup.enter_context(cluster.fresh_topics(work.partitions))
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
        job = cluster.running.submit("--hostname", hosts, *cluster.sink(topics), *options)
        cleanup.callback(job.cancel)
        total = work.count // work.endpoints * work.endpoints
        return cluster.carried(topics[0], total, lambda: [cluster.taskmanager()], work.partitions)


def peer(cluster: Cluster, work: Work, kind: str) -> Sample:
    with _serving(work) as server, cluster.fresh_topics(work.partitions) as (topic, _):
        program = HERE / "peer.py"
        job = cluster.running.submit(kind, str(server.port), program=program, KAFKA_TOPIC=topic)
        try:
            return cluster.carried(topic, work.count, lambda: [cluster.taskmanager()])
        finally:
            job.cancel()


def _plain_python(cluster: Cluster, work: Work) -> Sample:
    with _serving(work) as server, cluster.fresh_topics(work.partitions) as (topic, _):
        command = [sys.executable, str(HERE / "plain_python.py"), str(server.port)]
        return _program(cluster, command, topic, work)


def _kcat_case(cases: list[Case], cluster: Cluster, work: Work) -> dict[str, str]:
    """Add the case, or the reason why kcat cannot do it here."""
    if missing := kcat.why_not(cluster.running.stack):
        return {kcat.NAME: missing}
    cases.append(Case(kcat.NAME, partial(_piped, cluster, work)))
    return {}


def _piped(cluster: Cluster, work: Work) -> Sample:
    """Lines, unchanged, without parsing and without keys."""
    command = kcat.command(cluster.running.stack)
    with _serving(work) as server, cluster.fresh_topics(work.partitions) as (topic, _):
        server.closes = True  # kcat reads blocks: without an end, it does not send the last lines
        # The server's first byte is a bare LF, which is no event: bash reads only this byte.
        script = f"nc -d 127.0.0.1 {server.port} | {{ read -r; {command} -P -t {topic}; }}"
        return _program(cluster, ["bash", "-c", script], topic, work, kcat.environment())


def _program(
    cluster: Cluster, command: list[str], topic: str, work: Work, env: dict[str, str] | None = None
) -> Sample:
    with tempfile.TemporaryFile() as errors:
        environment = {**cluster.running.shell(), "KAFKA_TOPIC": topic, **(env or {})}
        process = subprocess.Popen(command, env=environment, stderr=errors)

        def tested() -> list[psutil.Process]:
            if process.poll() is not None:
                errors.seek(0)
                raise RuntimeError(f"{command[0]} ended: {errors.read().decode(errors='replace')[-600:]}")
            return [psutil.Process(process.pid)]

        try:
            return cluster.carried(topic, work.count, tested)
        finally:
            for member in psutil.Process(process.pid).children(recursive=True):
                member.kill()
            process.kill()
            process.wait()


@contextmanager
def _serving(work: Work) -> Iterator[LogServer]:
    server = _server(work.count, work.line_bytes)
    try:
        yield server
    finally:
        server.close()


def _server(count: int, line_bytes: int) -> LogServer:
    repeats = max(count // _BLOCK_LINES, 1)
    lines, rest = divmod(count, repeats)
    if rest:
        raise ValueError(f"{count} lines are no {repeats} equal blocks")
    return LogServer(_block(lines, line_bytes), repeats)


@lru_cache(maxsize=2)
def _block(count: int, line_bytes: int) -> bytes:
    return make_log(count, line_bytes)
