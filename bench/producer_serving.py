"""Serving: one fast client, 100 clients at a pace, 1,000 idle clients, a stalled client beside 50 good ones.

Run: python -m bench.producer_serving [one|hundred|thousand|stalled]...
"""

from __future__ import annotations

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bench.producer_process import ProducerProcess, Received, connect, read_to_the_end
from producer.protocol import ResumeRequest

_EARLIEST = ResumeRequest(None, "earliest")


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
    server = ProducerProcess(
        "--rate", str(rate), "--count", str(count), "--wait-for-clients", str(clients), "--exit-when-done"
    )
    with ThreadPoolExecutor(clients) as pool:
        sockets = [connect(server.port, _EARLIEST) for _ in range(clients)]
        results = list(pool.map(read_to_the_end, sockets))
    server.stop()
    complete = sum(received.lines == count for received in results)
    same = len({received.checksum for received in results})
    slowest = max(received.seconds for received in results)
    print(
        f"{clients} clients at {rate:,} events/s: {complete} complete, {same} distinct stream(s),"
        f" {count / slowest:,.0f} events/s to the slowest,"
        f" {sum(r.size for r in results) / slowest / 1e6:,.0f} MB/s in all",
        flush=True,
    )


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
