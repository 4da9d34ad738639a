"""Writes events to standard output instead of serving them (--stdout)."""

from __future__ import annotations

import os

from producer.log.log_directory import RecordIds


class StdoutSink:
    """Raises BrokenPipeError when the reader has gone."""

    is_segment_full = False

    def append(self, data: bytes, events: int) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(1, view) :]

    def is_full(self) -> bool:
        return False

    def roll(self, record_ids: RecordIds) -> None:
        """Nothing is kept."""
