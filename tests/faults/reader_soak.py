"""`python -m faults.reader_soak` (make soak-reader): one reader, 20 million small blocks, counters at rest.

It uses a plain JVM without a cluster: a fault that a reader shows after hours in production is seen here in
minutes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
from jvm_reader import CLASSES
from plain_jvm import compiled, plain_jvm

ROUND = 1_000_000  # lines
HEAP_GROWTH = 32 * 2**20  # bytes


@click.command()
@click.option("--blocks", type=click.IntRange(1), default=20_000_000, envvar="BLOCKS", show_envvar=True)
def main(blocks: int) -> None:
    """Read until so many blocks have been taken; exit code 1 when a counter is wrong at rest."""
    begun, told = time.monotonic(), 0.0
    with plain_jvm() as gateway:
        soak = compiled(gateway, *CLASSES, Path(__file__).with_name("ReaderSoak")).newInstance()
        heap, rounds = 0, 0
        while soak.blocks() < blocks:
            rounds += 1
            if wrong := soak.round(ROUND, rounds % 4 == 0):
                click.echo(f"FAILED after {soak.blocks():,} blocks: {wrong}")
                sys.exit(1)
            heap = heap or soak.heap()
            if time.monotonic() - told > 30:
                told = time.monotonic()
                click.echo(
                    f"{told - begun:6.0f} s  {soak.blocks():,} blocks, every counter right at {rounds} rests"
                )
        grown = soak.heap() - heap
        soak.close()
        click.echo(
            f"{soak.blocks():,} blocks in {time.monotonic() - begun:.0f} s, every counter right at {rounds} "
            f"rests, the heap grew by {grown / 2**20:.1f} MiB"
        )
        sys.exit(1 if grown > HEAP_GROWTH else 0)


if __name__ == "__main__":
    main()
