"""Records a second and peak memory of win-event-verify.

python -m bench.consumer_verify            topic of 3 M records, on a broker of its own
python -m bench.consumer_verify file 10    10 M events through a named pipe: speed and memory
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from confluent_kafka import Producer

from bench.consumer_lines import blocks
from bench.processes import BIN, Finished, run
from local_stack.broker.kafka_objects import connection
from local_stack.layout import load_stack
from producer.log.ledger import BlockBuilder, LedgerHeader

TOPIC = "events_processed"
Result = tuple[dict[str, object], Finished]
_SENDING = {"linger.ms": 20, "compression.type": "lz4", "queue.buffering.max.messages": 1_000_000}


def audit(*options: str, env: dict[str, str] | None = None) -> Result:
    """The report, and what it cost, the start of the process included."""
    done = run([str(BIN / "win-event-verify"), "--json", *options], env=env)
    return json.loads(done.stdout), done


def tell(name: str, count: int, result: Result) -> None:
    report, done = result
    assert (report["records"], report["distinct"], report["ok"]) == (count, count, True), report
    rates = f"{count / done.seconds:>10,.0f} /s {count / done.cost.cpu_seconds:>10,.0f} per CPU second"
    print(f"{name:24} {count:>12,} records {rates} {done.cost.peak_mib:>6,.0f} MiB", flush=True)


def through_a_pipe(count: int, folder: Path) -> Result:
    pipe = folder / "events.ndjson"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb") as file:
            for _, lines in blocks(count):
                file.write(lines)

    writer = threading.Thread(target=write)
    writer.start()
    result = audit("--file", str(pipe))
    writer.join()
    return result


def fill(count: int, ledger: Path, login: dict[str, str]) -> None:
    """Produce as the bridge does, and write the ledger that a producer would have written."""
    client = Producer(login | _SENDING)
    builders: dict[bytes, BlockBuilder] = {}
    with ledger.open("wb") as file:
        file.write(LedgerHeader("bench", 0, "flat").encode())
        for computer, lines in blocks(count):
            builder = builders.setdefault(computer, BlockBuilder(computer.decode(), "Security"))
            for line in lines.splitlines():
                while len(client) > 500_000:
                    client.poll(0.1)
                client.produce(TOPIC, value=line, key=computer)
                record_id = int(line.split(b'"record_id":', 1)[1].split(b",", 1)[0])
                if block := builder.add(record_id, line, 0.0):
                    file.write(block.encode())
        file.writelines(block.encode() for builder in builders.values() if (block := builder.flush()))
    assert client.flush(60) == 0


def ports() -> list[str]:
    names = ("--kafka-port", "--controller-port")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    numbers = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return [word for pair in zip(names, numbers, strict=True) for word in pair]


def over_a_topic(count: int, folder: Path) -> None:
    home = folder / "stack"
    environment = os.environ | {"WIN_EVENT_STACK_DIR": str(home)}
    environment.setdefault("WIN_EVENT_JAR_DIR", str(Path(".stack/jars").absolute()))
    stack = str(BIN / "win-event-stack")
    subprocess.run([stack, "up", "--only", "kafka", *ports()], env=environment, check=True)
    try:
        ledger = folder / "run.ledger"
        fill(count, ledger, connection(load_stack(home), "bridge").client_settings())
        reader = connection(load_stack(home), "reader")
        login = {"KAFKA_BOOTSTRAP_SERVERS": reader.bootstrap_servers, "KAFKA_USERNAME": "reader"}
        login["KAFKA_PASSWORD_FILE"] = str(home / "secrets" / "reader")
        for name, options in (("itself", ()), ("the ledger", ("--ledger", str(ledger)))):
            runs = [audit("--topic", TOPIC, *options, env=os.environ | login) for _ in range(3)]
            tell(f"topic, with {name}", count, min(runs, key=lambda each: each[1].seconds))
    finally:
        subprocess.run([stack, "down"], env=environment, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        kind, millions = (*sys.argv[1:], *("topic", "3")[len(sys.argv) - 1 :])[:2]
        count = int(millions) * 1_000_000
        if kind == "file":
            tell("file, with itself", count, through_a_pipe(count, Path(folder)))
        else:
            over_a_topic(count, Path(folder))


if __name__ == "__main__":
    main()
