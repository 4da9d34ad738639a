"""Pace and memory: achieved against asked, and resident memory over a long run.

Run: python -m bench.producer_pace [rates SECONDS] | [memory MINUTES]
"""

from __future__ import annotations

import sys
import threading
import time

from bench.producer_process import ProducerProcess, connect, read_to_the_end

_RATES = (1, 10, 100, 1000, 10_000, 50_000)


def rates(seconds: int = 30) -> None:
    """A client counts what arrives; the producer says what it achieved. Its start counts as its work."""
    for rate in _RATES:
        count = rate * seconds + 1  # the first is due at once, the last when `seconds` have passed
        server = ProducerProcess(
            "--rate", str(rate), "--count", str(count), "--wait-for-clients", "1", "--exit-when-done"
        )
        received = read_to_the_end(connect(server.port))
        cpu = 100 * server.cpu_seconds() / seconds
        said = _achieved(server.stop())
        arrived = received.lines - 1  # without the line feed that comes first
        print(f"asked {rate:>6}/s: {arrived} of {count} arrived; {said}; {cpu:.1f} % of a core", flush=True)


def memory(minutes: float = 10.0, rate: int = 50_000) -> None:
    """Resident memory each half minute once the log is full, with one reader."""
    server = ProducerProcess("--rate", str(rate), "--retain-bytes", "100000000")
    client = connect(server.port)
    reader = threading.Thread(target=read_to_the_end, args=(client, False), daemon=True)
    reader.start()
    time.sleep(15.0)  # the log fills in 2 s; the pace settles
    samples = []
    for _ in range(max(int(minutes * 2), 2)):
        time.sleep(30.0 if minutes >= 1 else 5.0)
        samples.append(server.memory() / 1e6)
        print(f"{samples[-1]:.1f} MB", flush=True)
    said = _achieved(server.stop())
    middle = sorted(samples)[len(samples) // 2]
    spread = 100 * max(max(samples) - middle, middle - min(samples)) / middle
    print(f"{minutes:g} minutes: median {middle:.0f} MB, at most {spread:.1f} % away; {said}")


def _achieved(lines: list[str]) -> str:
    """What the producer says at its end about the whole run."""
    return next(line for line in reversed(lines) if "achieved" in line and "over" in line)


def main() -> None:
    what, number = (*sys.argv[1:], "", "")[:2]
    if what == "memory":
        memory(float(number or 10))
    else:
        rates(int(number or 30))


if __name__ == "__main__":
    main()
