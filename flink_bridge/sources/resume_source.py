"""The resume source inside Flink: a keyed function that owns the connection and checkpoints its position."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor

from flink_bridge.sources.resume_reader import LogReader, Position, ReaderSettings

# A checkpoint waits for at most one poll; a poll costs some milliseconds between Python and the JVM.
POLL_SECONDS = 0.02  # how long one may wait for lines
POLL_BYTES = 2 << 20  # how many it takes at once, if they are there


class ResumeSource(KeyedProcessFunction):
    """Emits blocks of lines. A chain of timers polls the reader, so nothing queues up before a checkpoint.

    The input only starts the chain. Position and emitted blocks are cut by the same checkpoint barrier:
    after a restart the reader goes on exactly behind what that checkpoint holds.
    """

    def __init__(self, settings: ReaderSettings) -> None:
        self._settings = settings
        self._reader: LogReader | None = None
        self._next: int | None = None

    def open(self, runtime_context: RuntimeContext) -> None:
        self._position = runtime_context.get_state(ValueStateDescriptor("position", Types.STRING()))
        group = runtime_context.get_metrics_group()
        self._bytes = group.counter("bytes")
        for name in ("connected", "reconnects", "gaps", "lost_bytes", "offset"):
            group.gauge(name, lambda name=name: self._statistic(name))

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[bytes]:
        if self._next is None:
            yield from self._poll(ctx, int(time.time() * 1000))

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[bytes]:
        # A timer restored from a checkpoint may meet the chain that the input has started: one chain lives.
        if self._next is None or timestamp == self._next:
            yield from self._poll(ctx, timestamp)

    def _poll(self, ctx: Any, timestamp: int) -> Iterator[bytes]:
        if self._reader is None:
            saved = self._position.value()
            start = Position.decode(saved) if saved else Position(None, self._settings.start)
            self._reader = LogReader(self._settings, start)
        taken, block = 0, self._reader.take(POLL_SECONDS)
        while block is not None:
            taken += len(block.lines) + 1
            self._position.update(block.end.encode())
            yield block.lines
            block = self._reader.take(0) if taken < POLL_BYTES else None
        self._bytes.inc(taken)
        # Later than the timer that fires now, or Flink would run the chain without looking at its mailbox.
        self._next = timestamp + 1
        ctx.timer_service().register_processing_time_timer(self._next)

    def _statistic(self, name: str) -> int:
        if self._reader is None:
            return 0
        statistics = self._reader.statistics
        if name == "offset":
            offset = statistics.position.offset
            return offset if isinstance(offset, int) else 0
        return int(getattr(statistics, name))
