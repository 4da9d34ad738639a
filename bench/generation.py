"""How fast events are made, and how exactly a rate is kept."""

from __future__ import annotations

import sys
from functools import partial

from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import cpu_seconds, memory_mib, producer, run
from bench.readers import read_for
from producer.events.formats import FORMATS

_GENERATE = """
import sys, time
from producer.log.feeder import BATCH
from producer.events.generator import Generator, GeneratorSettings
generator = Generator(GeneratorSettings(seed=1, fmt=sys.argv[1]))
generator.take(20_000, step=1)
count, begin, cpu = 0, time.monotonic(), time.process_time()
while time.monotonic() - begin < float(sys.argv[2]):
    generator.take(BATCH, step=1).data()
    count += BATCH
print(count / (time.monotonic() - begin), count, time.process_time() - cpu)
"""


def sections(quick: bool) -> list[Section]:
    seconds = 1.0 if quick else 4.0
    formats = ("flat",) if quick else tuple(FORMATS)
    rates = (50_000,) if quick else (1, 100, 1_000, 10_000, 50_000)
    return [
        Section(
            "generation",
            "Generation in one process, to bytes",
            "events/s",
            [Case(fmt, partial(_generate, fmt, seconds)) for fmt in formats],
            yardstick="flat",
        ),
        Section(
            "pacing",
            "Achieved rate, as a share of the rate asked for",
            "achieved/asked",
            [Case(f"--rate {rate}", partial(_paced, rate, 3.0 if quick else 30.0), x=rate) for rate in rates],
        ),
    ]


def _generate(fmt: str, seconds: float) -> Sample:
    """Without the start of the interpreter."""
    done = run([sys.executable, "-c", _GENERATE, fmt, str(seconds)])
    rate, count, cpu = done.stdout.split()
    return Sample(float(rate), int(count), float(cpu), done.cost.peak_mib)


def _paced(rate: int, seconds: float) -> Sample:
    with producer("--rate", str(rate)) as (port, process):
        begun: list[float] = []
        lines, took = read_for(port, seconds, lambda: begun.append(cpu_seconds([process])))
        cost = cpu_seconds([process]) - begun[0]
        return Sample(lines / took / rate, lines, cost, memory_mib([process]))
