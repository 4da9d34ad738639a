"""`make profile`: where the TaskManager's processor time goes, in microseconds per line, by async-profiler.

It is no part of `make bench`: the profiler itself takes time, so the sums are a little higher than there.
"""

from __future__ import annotations

import os
import re
import signal
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import click
from jgo.maven import MavenContext

from bench.bridge.cluster import Cluster, cluster
from bench.bridge.throughput import ALL_OPTIONS, HEADERS, Work, bridge, peer
from bench.measurement import Sample
from bench.table import number

_PROFILER = ("tools.profiler", "async-profiler", "4.1")
_INTERVAL = 10  # milliseconds of processor time between two samples of a thread; the kernel rounds less up
_LIBRARY = f"linux-{'arm64' if os.uname().machine == 'aarch64' else 'x64'}/libasyncProfiler.so"

# By the first class that a pattern finds, from the innermost call outwards.
CALLS = {
    "read the socket, cut lines": r"winevent/(EventLog|LogReader|LineCutter|LogPosition|ServerAnswer)"
    r"|SocketTextStream|sun/nio/ch/",
    "parse: event or not, key, time, headers": r"winevent/(SortLines|EventLine|EventTime|LineBytes|Reject)"
    r"|jackson/",
    "hand over between threads": r"runtime/io/|io/network/|common/typeutils/|types/StringValue|core/memory/",
    "Kafka's client: make a record, choose batch and partition": r"kafka/clients/"
    r"|kafka/common/(?!record|utils/ByteUtils)|connector/kafka/sink|winevent/KafkaRecord",
    "Kafka's client: write it into the batch": r"kafka/common/(record|utils/ByteUtils)",
    "Kafka's client: compress (lz4)": r"net/jpountz/|/Lz4|/KafkaLZ4",
}
# By the name of the thread, whatever it does.
THREADS = {
    "Kafka's client: send, in its own thread": r"kafka-producer-network-thread",
    "collect garbage": r"GC Thread|G1 |VM Thread",
}
# Other threads are Flink's own, and Java's compilers.
_OF_THE_JOB = re.compile(r"\[(Legacy Source Thread|Source: |read |parse |write |Flat Map|Sink: )")
_REST = "the rest"
LAYERS = (*CALLS, *THREADS, _REST)


def by_layer(stacks: Iterable[str]) -> Counter[str]:
    """Samples of the job's threads by layer. A stack is `[thread];outermost;…;innermost COUNT`."""
    found: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        thread, *calls = frames.split(";")
        if layer := _layer(thread, calls):
            found[layer] += int(count)
    return found


def _layer(thread: str, calls: list[str]) -> str | None:
    for layer, pattern in THREADS.items():
        if re.search(pattern, thread):
            return layer
    if not _OF_THE_JOB.match(thread):
        return None
    for call in reversed(calls):
        for layer, pattern in CALLS.items():
            if re.search(pattern, call):
                return layer
    return _REST


@click.command()
@click.option("--lines", type=click.IntRange(1_000_000), default=8_000_000, help="Lines of each run.")
@click.option("--rounds", type=click.IntRange(1), default=3, help="Runs of each case.")
def main(lines: int, rounds: int) -> None:
    """Print a table: processor time of the TaskManager by layer, for raw pass-through and the bridge."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM stops the servers like Ctrl-C
    work = Work(lines // 100_000 * 100_000)
    cases: dict[str, Callable[[Cluster], Sample]] = {
        "raw pass-through": partial(peer, work=work, kind="raw"),
        "auto": partial(bridge, work=work, options=()),
        "auto, three headers": partial(bridge, work=work, options=HEADERS),
        "auto, all options": partial(bridge, work=work, options=ALL_OPTIONS),
    }
    with tempfile.TemporaryDirectory(prefix="win-event-profile-") as folder:
        library = _library(Path(folder))
        found: dict[str, list[Counter[str]]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, run in cases.items():
                found[name].append(_profiled(library, run, name))
    click.echo(table(found, work.count))


def _library(folder: Path) -> Path:
    group, artifact, version = _PROFILER
    jar = MavenContext(timeout=60).project(group, artifact).at_version(version).artifact().resolve()
    with zipfile.ZipFile(jar) as files:
        return Path(files.extract(_LIBRARY, folder))


def _profiled(library: Path, run: Callable[[Cluster], Sample], name: str) -> Counter[str]:
    """The samples of a run on a separate cluster, whose JVMs write their stacks when they end."""
    click.echo(f"{name}: running", err=True)
    stacks = library.parent / "stacks"
    stacks.mkdir(exist_ok=True)
    what = f"start,event=ctimer,interval={_INTERVAL}ms,threads,collapsed,file={stacks}/%p"
    os.environ["WIN_EVENT_JVM_OPTIONS"] = f"-agentpath:{library}={what}"
    with cluster() as started:
        taskmanager = started.taskmanager().pid
        run(started)
    return by_layer((stacks / str(taskmanager)).read_text(encoding="utf-8").splitlines())


def table(found: dict[str, list[Counter[str]]], lines: int) -> str:
    """A table in Markdown: a row for each layer, a column for each case, microseconds per line.

    A cell is the median of the case's runs, with the lowest and the highest.
    """
    rows = [["", *found], ["---", *(["--:"] * len(found))]]
    for layer in LAYERS:
        rows.append([layer, *(_microseconds([run[layer] for run in runs], lines) for runs in found.values())])
    rows.append(["sum", *(_microseconds([run.total() for run in runs], lines) for runs in found.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _microseconds(samples: Sequence[int], lines: int) -> str:
    times = sorted(each * _INTERVAL * 1000 / lines for each in samples)
    if not times[-1]:
        return "–"
    if len(times) == 1:
        return f"{times[0]:.2f}"
    middle = number(round(median(times), 2), times[0], times[-1])
    return f"{middle} ({times[0]:.2f}–{times[-1]:.2f})"


if __name__ == "__main__":
    main()
