"""Events of a file: reading it, and making old events recent."""

from __future__ import annotations

import gzip
import json
import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from producer.events.event_time import time_of
from producer.events.line_rule import parse_object
from producer.files.line_reader import STANDARD_INPUT, LineReader
from producer.files.time_shift import TimeShift

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc).timestamp()
LOGGERS = Path(__file__).resolve().parents[1] / "flink_bridge" / "loggers"


def event(second: int) -> bytes:
    return json.dumps(
        {"EventTime": f"2019-05-08 12:00:{second:02d}", "other": "2019-05-08T11:59:00Z"}
    ).encode()


def moved(shift: TimeShift, line: bytes, now: float) -> float:
    return time_of(parse_object(shift.move(line, now)))


def test_distances_stay_where_the_file_is_slower_than_the_rate_allows() -> None:
    shift = TimeShift()
    assert moved(shift, event(0), NOW) == NOW
    assert moved(shift, event(5), NOW + 10) == NOW + 5
    assert moved(shift, event(20), NOW + 30) == NOW + 20


def test_no_event_comes_from_the_future() -> None:
    shift = TimeShift()
    for number, second in enumerate((0, 30, 31, 59, 10)):
        assert moved(shift, event(second), NOW + number * 0.1) <= NOW + number * 0.1
    assert moved(shift, event(59), NOW + 1) == NOW  # whole seconds: 59 became "now" at 0.3 s


def test_all_times_of_an_event_move_together_and_a_new_pass_begins_anew() -> None:
    shift = TimeShift()
    line = shift.move(event(30), NOW)
    assert json.loads(line) == {"EventTime": "2026-11-26 12:00:00", "other": "2026-11-26T11:58:30Z"}
    shift.restart()
    assert moved(shift, event(0), NOW + 3600) == NOW + 3600


def test_an_event_without_a_time_is_counted_and_sent() -> None:
    shift = TimeShift()
    assert shift.move(b'{"a":1}', NOW) == b'{"a":1}'
    assert shift.untimed == 1


@pytest.mark.parametrize(
    "name", ["evtx-dump", "winlogbeat-filtered-ids", "nxlog-space-time", "winevtlog-space-offset"]
)
def test_lines_of_real_loggers_are_recent_then(name: str) -> None:
    shift = TimeShift()
    for line in (LOGGERS / f"{name}.ndjson").read_bytes().splitlines():
        assert NOW - 86_400 * 2 < moved(shift, line, NOW) <= NOW


def read_all(reader: LineReader) -> list[bytes]:
    lines = []
    while (line := reader.next()) is not None:
        lines.append(line)
    assert reader.is_over
    return lines


def test_a_file_as_windows_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\r\n{"a":2}\r\n{"a":3}')
    assert read_all(LineReader(file)) == [b'{"a":1}', b'{"a":2}', b'{"a":3}']


def test_a_loop_begins_again_and_an_empty_file_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(b"\xef\xbb\xbf1\n2")
    reader = LineReader(file, loop=True)
    assert [reader.next() for _ in range(5)] == [b"1", b"2", b"1", b"2", b"1"]
    assert reader.passes == 2
    file.write_bytes(b"\n \n")
    assert read_all(LineReader(file, loop=True)) == []


def test_a_pipe_is_never_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    monkeypatch.setattr(os, "dup", lambda _: read)
    reader = LineReader(STANDARD_INPUT)
    assert reader.next() is None
    assert not reader.is_over
    os.write(write, b"1\n2")
    assert [reader.next(), reader.next()] == [b"1", None]
    os.close(write)
    assert read_all(reader) == [b"2"]


def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    """Also before a writer opens it: otherwise no signal could end the command while it waits."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="--loop"):
        LineReader(pipe, loop=True)
    reader = LineReader(pipe)
    assert reader.next() is None
    assert not reader.is_over
    with pipe.open("wb", buffering=0) as writer:
        writer.write(b"1\n2")
        assert [reader.next(), reader.next()] == [b"1", None]
    assert read_all(reader) == [b"2"]


def test_a_packed_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "events.gz"
    file.write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(OSError, match=r"zcat .*events.gz"):
        LineReader(file)
