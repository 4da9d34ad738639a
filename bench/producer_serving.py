"""Serving: one fast client, 100 clients at a pace, 1,000 idle clients, a stalled client beside 50 good ones.

Run: python -m bench.producer_serving [one|hundred|thousand|stalled]...
"""

from __future__ import annotations

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import orjson

from bench.producer_process import ProducerProcess, Received, connect, read_all, read_to_the_end
from producer.events.generator import Generator, GeneratorSettings
from producer.protocol import ResumeRequest

_EARLIEST = ResumeRequest(None, "earliest")
_FIXED = ("--start-time", "2026-01-05T08:00:00")


def one() -> None:
    """A client that starts at the beginning of a filled log."""
    server = ProducerProcess("--rate", "max", "--count", "300000", "--retain-bytes", "1000000000")
    server.wait_for("made all")
    best = 0.0
    for _ in range(5):
        client = connect(server.port, _EARLIEST)
        received = read_to_the_end(client, checks=False, limit=320_000_000)
        best = max(best, received.size / received.seconds)
    server.stop()
    print(f"one client, filled log of 300,000 events: {best / 1e9:.2f} GB/s (best of 5)", flush=True)


def hundred(clients: int = 100, rate: int = 10_000, seconds: int = 10) -> None:
    """All clients get every event of a live stream, byte for byte."""
    count = rate * seconds
    expected = _told(count)
    server = ProducerProcess(
        "--rate", str(rate), "--count", str(count), *_FIXED,
        "--wait-for-clients", str(clients), "--exit-when-done",
    )  # fmt: skip
    results = read_all([connect(server.port, _EARLIEST) for _ in range(clients)], expected)
    cpu = server.cpu_seconds()
    server.stop()
    complete = sum(received.size == len(expected) for received in results)
    slowest = max(received.seconds for received in results)
    print(
        f"{clients} clients at {rate:,} events/s: {complete} complete and equal to the log byte by byte,"
        f" {count / slowest:,.0f} events/s to the slowest,"
        f" {sum(r.size for r in results) / slowest / 1e6:,.0f} MB/s in all,"
        f" the server took {100 * cpu / slowest:.0f} % of a core",
        flush=True,
    )


def _told(count: int) -> bytes:
    """What a producer with _FIXED puts into its log: every id of every sequence once, in order."""
    generator = Generator(GeneratorSettings(seed=1, start_time=datetime.fromisoformat(_FIXED[1] + "+00:00")))
    expected = b"".join(generator.take(min(1000, count - done)).data() for done in range(0, count, 1000))
    ids: dict[tuple[str, str], int] = {}
    for line in expected.splitlines():
        event = orjson.loads(line)
        key = event["computer"], event["source"]
        ids[key] = ids.get(key, 0) + 1
        assert event["record_id"] == ids[key]
    return expected


def thousand(clients: int = 1000) -> None:
    """What connected clients cost while little happens."""
    server = ProducerProcess("--rate", "10", "--retain-bytes", "1000000")
    time.sleep(1.0)
    before = server.memory()
    sockets = [connect(server.port, _EARLIEST) for _ in range(clients)]
    time.sleep(3.0)
    after = server.memory()
    for each in sockets:
        each.close()
    server.stop()
    print(
        f"{clients} connected clients: {(after - before) / 1e6:.0f} MB more"
        f" than the {before / 1e6:.0f} MB without,"
        f" {after / 1e6:.0f} MB in all",
        flush=True,
    )


def stalled(good: int = 50, rate: int = 4000, seconds: int = 10) -> None:
    """One client that reads nothing beside `good` ones."""
    rates = [_with_stalled(good, rate, seconds, stalled_clients) for stalled_clients in (0, 1)]
    share = 100 * rates[1][0] / rates[0][0]
    print(f"{good} good clients beside a stalled one: {share:.1f} % of their rate; {rates[1][1]}", flush=True)


def _with_stalled(good: int, rate: int, seconds: int, stalled_clients: int) -> tuple[float, str]:
    count = rate * seconds
    server = ProducerProcess(
        "--rate", str(rate), "--count", str(count), "--retain-bytes", "20000000",
        "--wait-for-clients", str(good + stalled_clients), "--exit-when-done",
    )  # fmt: skip
    stuck: list[socket.socket] = [connect(server.port, _EARLIEST) for _ in range(stalled_clients)]
    with ThreadPoolExecutor(good) as pool:
        results: list[Received] = list(
            pool.map(read_to_the_end, [connect(server.port, _EARLIEST) for _ in range(good)])
        )
    said = [line for line in server.stop() if "too slow" in line]
    for each in stuck:
        each.close()
    if any(received.lines != count for received in results):
        raise SystemExit("a good client lost events")
    return count / max(received.seconds for received in results), " ".join(said)


def main() -> None:
    cases = {"one": one, "hundred": hundred, "thousand": thousand, "stalled": stalled}
    for name in sys.argv[1:] or cases:
        cases[name]()


if __name__ == "__main__":
    main()
