"""Lines a second of win-event-tail into /dev/null, beside plain `cat` on the same socket.

python -m bench.consumer_tail [LINES]
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

from producer.generator import GeneratorSettings, generate

BIN = Path(sys.executable).parent
_DISTINCT = 20_000


def serve(server: socket.socket, block: bytes, times: int) -> None:
    """Send `block` so many times to each client."""
    while True:
        client, _ = server.accept()
        with client:
            client.sendall(b"\n")
            for _ in range(times):
                client.sendall(block)


def measure(command: list[str], lines: int) -> tuple[float, float]:
    """Lines a second of clock and of CPU, the start of the process included."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    process.returncode = 0
    return lines / (time.perf_counter() - started), lines / (usage.ru_utime + usage.ru_stime)


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000_000
    block = b"".join(event.line for event in islice(generate(GeneratorSettings()), _DISTINCT))
    times = max(wanted // _DISTINCT, 1)
    lines, width = times * _DISTINCT, len(block) / _DISTINCT
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        feeder = multiprocessing.Process(target=serve, args=(server, block, times), daemon=True)
        feeder.start()
        tail = [str(BIN / "win-event-tail"), f"127.0.0.1:{port}", "--no-reconnect", "--output"]
        runs = {
            "cat": ["bash", "-c", f"cat < /dev/tcp/127.0.0.1/{port}"],
            "tail --output json": [*tail, "json"],
        }
        print(f"{lines:,} generated lines of {width:,.0f} B, {os.cpu_count()} cores, best of 3")
        for name, command in runs.items():
            best, busy = max(measure(command, lines) for _ in range(3))
            rates = f"{best:>10,.0f} lines/s {busy:>10,.0f} per CPU second"
            print(f"{name:32} {rates} {best * width / 1e6:>6,.0f} MB/s")
        few = max(times // 3, 1)
        feeder.terminate()
        feeder = multiprocessing.Process(target=serve, args=(server, block, few), daemon=True)
        feeder.start()
        for form in ("pretty", "full", "json --level error+", "json --stats", "fields --fields level"):
            best, busy = max(measure([*tail, *form.split()], few * _DISTINCT) for _ in range(2))
            name = f"tail --output {form}"
            print(f"{name:32} {best:>10,.0f} lines/s {busy:>10,.0f} per CPU second")
        feeder.terminate()


if __name__ == "__main__":
    main()
