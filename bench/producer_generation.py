"""Generation: events a second in one process, with full messages, ready to be appended.

Run: python -m bench.producer_generation [events]
"""

from __future__ import annotations

import os
import sys
import time

from producer.events.formats import FORMATS
from producer.events.generator import Generator, GeneratorSettings
from producer.log.feeder import BATCH

_WARM_UP = 400  # batches: templates are compiled when they are first needed


def measure(settings: GeneratorSettings, events: int) -> tuple[float, float, float]:
    """(events a second by the clock, events a processor second, mean bytes a line)."""
    generator = Generator(settings)
    for _ in range(_WARM_UP):
        generator.take(BATCH, step=1)
    size, begin, processor = 0, time.perf_counter(), time.process_time()
    moment = time.time_ns() // 100
    for number in range(events // BATCH):
        size += len(generator.take(BATCH, first=moment + number * BATCH * 10, step=10).data())
    seconds, processor_seconds = time.perf_counter() - begin, time.process_time() - processor
    return events / seconds, events / processor_seconds, size / events


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    cases = {
        f"flat, 10 hosts, {profile}": GeneratorSettings(profile=profile) for profile in ("mixed", "server")
    }
    cases["flat, 1,000 hosts, mixed"] = GeneratorSettings(hosts=1000)
    cases |= {f"{fmt}, 10 hosts, mixed": GeneratorSettings(fmt=fmt) for fmt in FORMATS if fmt != "flat"}
    print("load of the machine, 1/5/15 min:", *(f"{load:.1f}" for load in os.getloadavg()))
    print(f"{'case':32} {'events/s':>10} {'per cpu s':>10} {'bytes/event':>12}")
    for name, settings in cases.items():
        rate, per_processor, mean = measure(settings, events)
        print(f"{name:32} {rate:10,.0f} {per_processor:10,.0f} {mean:12,.0f}", flush=True)


if __name__ == "__main__":
    main()
