"""The speed of generation, the accuracy of a rate, and the memory of a long run."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial

from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import cpu_seconds, memory_mib, producer, run
from bench.producer.clients import Takers, read_for
from producer.events.formats import FORMATS

# Runs in a separate interpreter. The first events do not count: templates are compiled when first needed.
_GENERATE = """
import json, sys, time
from producer.log.feeder import BATCH
from producer.events.generator import Generator
from producer.events.generator_settings import GeneratorSettings
generator = Generator(GeneratorSettings(seed=1, **json.loads(sys.argv[1])))
for _ in range(200):
    generator.take(BATCH, step=1)
count, begin, cpu = 0, time.monotonic(), time.process_time()
while time.monotonic() - begin < float(sys.argv[2]):
    generator.take(BATCH, step=1).data()
    count += BATCH
print(count / (time.monotonic() - begin), count, time.process_time() - cpu)
"""


def sections(quick: bool) -> list[Section]:
    found = [_generation(quick), _pacing(quick)]
    return found if quick else [*found, _long_run()]


def _generation(quick: bool) -> Section:
    kinds: dict[str, Mapping[str, object]] = {"flat": {}}
    if not quick:
        kinds |= {fmt: {"fmt": fmt} for fmt in FORMATS if fmt != "flat"}
        kinds |= {"flat, 1,000 hosts": {"hosts": 1000}, "flat, servers only": {"profile": "server"}}
    seconds = 1.0 if quick else 4.0
    cases = [Case(name, partial(_generate, settings, seconds)) for name, settings in kinds.items()]
    return Section("generation", "Generation in one process, to bytes", "events/s", cases, yardstick="flat")


def _pacing(quick: bool) -> Section:
    rates = (50_000,) if quick else (1, 10, 100, 1_000, 10_000, 50_000)
    cases = [Case(f"--rate {rate}", partial(_paced, rate, 3.0 if quick else 30.0), x=rate) for rate in rates]
    return Section("pacing", "Achieved rate, as a share of the requested rate", "achieved/asked", cases)


def _long_run() -> Section:
    rate, minutes = 50_000, 2.0
    cases = [
        Case("when the log is full", partial(_resident, rate, 15.0, max)),
        Case(f"{minutes:g} minutes later, the most", partial(_resident, rate, 15.0 + 60 * minutes, max)),
    ]
    note = f"One reader, {rate:,} events/s, a log of 100 MB."
    return Section("long run", "Resident memory of a producer that runs on", "MiB", cases, note=note)


def _generate(settings: Mapping[str, object], seconds: float) -> Sample:
    """Measure generation without the start of the interpreter."""
    done = run([sys.executable, "-c", _GENERATE, json.dumps(settings), str(seconds)])
    rate, count, cpu = done.stdout.split()
    return Sample(float(rate), int(count), float(cpu), done.cost.peak_mib)


def _paced(rate: int, seconds: float) -> Sample:
    with producer("--rate", str(rate)) as (port, process):
        begun: list[float] = []
        lines, took = read_for(port, seconds, lambda: begun.append(cpu_seconds([process])))
        cost = cpu_seconds([process]) - begun[0]
        return Sample(lines / took / rate, lines, cost, memory_mib([process]))


def _resident(rate: int, seconds: float, worst: Callable[[list[float]], float]) -> Sample:
    with producer("--rate", str(rate), "--retain-bytes", "100000000") as (port, process):
        taker = Takers(port, 1)
        samples: list[float] = []
        try:
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                taker.take_for(min(left, 5.0))
                samples.append(memory_mib([process]))
        finally:
            taker.close()
        return Sample(worst(samples[-max(1, len(samples) - 3) :]))
