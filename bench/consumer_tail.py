"""Lines a second of win-event-tail into /dev/null, beside plain `cat` on the same socket.

python -m bench.consumer_tail [LINES]
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
from itertools import islice

from bench.processes import BIN, run
from producer.events.generator import GeneratorSettings, generate

_DISTINCT = 20_000


def serve(server: socket.socket, block: bytes, times: int) -> None:
    """Send `block` so many times to each client."""
    while True:
        client, _ = server.accept()
        with client:
            client.sendall(b"\n")
            for _ in range(times):
                client.sendall(block)


def tell(name: str, command: list[str], lines: int, width: float, runs: int) -> None:
    """Print the best of so many runs, the start of the process included."""
    best = min((run(command, discard=True) for _ in range(runs)), key=lambda done: done.seconds)
    rate, busy = lines / best.seconds, lines / best.cost.cpu_seconds
    rates = f"{rate:>10,.0f} lines/s {busy:>10,.0f} per CPU second {rate * width / 1e6:>6,.0f} MB/s"
    print(f"{name:32} {rates}", flush=True)


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000_000
    block = b"".join(event.line for event in islice(generate(GeneratorSettings()), _DISTINCT))
    times = max(wanted // _DISTINCT, 1)
    width = len(block) / _DISTINCT
    print(f"generated lines of {width:,.0f} B, {os.cpu_count()} cores")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        tail = [str(BIN / "win-event-tail"), f"127.0.0.1:{port}", "--no-reconnect", "--output"]
        forms = ("json", "pretty", "full", "json --level error+", "json --stats", "fields --fields level")
        commands = {"cat": ["bash", "-c", f"cat < /dev/tcp/127.0.0.1/{port}"]}
        commands |= {f"tail --output {form}": [*tail, *form.split()] for form in forms}
        for number, (name, command) in enumerate(commands.items()):
            few, runs = (times, 3) if number < 2 else (max(times // 3, 1), 2)  # the others look at each line
            feeder = multiprocessing.Process(target=serve, args=(server, block, few), daemon=True)
            feeder.start()
            tell(name, command, few * _DISTINCT, width, runs)
            feeder.terminate()


if __name__ == "__main__":
    main()
