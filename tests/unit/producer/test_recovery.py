"""A start after a kill, a power cut or a full disk always succeeds, and no offset gets other bytes."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.log import log_directory, recovery
from producer.log.event_log import EventLog, LogRefusedError
from producer.log.log_directory import LogDirectory
from producer.log.recovery import RecoveredLog, events_of, last_record_ids
from producer.protocol import ResumeRequest
from producer.serving.plain_positions import PlainPositions
from producer.serving.resume import answer_to

RETAIN = 256 * 1024


def line(number: int, computer: str = "WS-1") -> bytes:
    event = {"computer": computer, "source": "Security", "record_id": number, "pad": "x" * 100}
    return json.dumps(event).encode() + b"\n"


class Session:
    """A producer's log between a start and its end; `kill` leaves the folder as kill -9 does."""

    def __init__(self, folder: Path, fsync: str = "second") -> None:
        self.directory = LogDirectory(folder, RETAIN, fsync)
        self.found: RecoveredLog = self.directory.open("flat")
        self.log = EventLog(RETAIN, self.directory, self.found)

    def append(self, *lines: bytes) -> int:
        return self.log.append(b"".join(lines), len(lines))

    def kill(self) -> None:
        os.close(self.directory._active)
        os.close(self.directory._end_file)
        os.close(self.directory._lock)

    def ask(self, log_id: str, offset: int, strict: bool = False):
        request = ResumeRequest(log_id, offset, strict)
        return answer_to(request, self.log.log_id, self.log.start, self.log.end, self.log.earlier)


def active_segment(folder: Path) -> Path:
    return max(folder.glob("*.log"))


def test_a_log_that_was_cut_back_never_serves_other_bytes_under_an_old_position(tmp_path: Path) -> None:
    first = Session(tmp_path)
    ends = [first.append(line(number)) + len(line(number)) for number in range(1, 11)]
    first.kill()
    os.truncate(active_segment(tmp_path), ends[3] + 17)  # in the middle of the fifth line
    second = Session(tmp_path)
    assert second.found.remarks
    assert second.log.log_id != first.log.log_id
    for number in range(5, 30):  # "a moment later": the log is longer than it was
        second.append(line(number, "WS-2"))
    ahead = second.ask(first.log.log_id, ends[9])
    assert (ahead.status, ahead.offset, ahead.lost_bytes) == ("new-log", ends[3], 0)
    assert ahead.follows
    assert not second.ask("another", ends[3]).follows
    behind = second.ask(first.log.log_id, ends[1])
    assert (behind.status, behind.offset, behind.lost_bytes) == ("new-log", ends[1], ends[9] - ends[3])
    refused = second.ask(first.log.log_id, ends[9], strict=True)
    assert (refused.status, refused.code) == ("error", "new-log")
    assert second.ask(second.log.log_id, ends[9]).status == "ok"


def test_two_cuts_are_counted_both(tmp_path: Path) -> None:
    sizes = []
    for keep in (300, 200):
        session = Session(tmp_path)
        session.append(line(1), line(2), line(3))
        sizes.append(session.log.end)
        session.kill()
        os.truncate(active_segment(tmp_path), keep)
    third = Session(tmp_path)
    first_id = third.log.earlier[0].log_id
    cut = [each.end for each in third.log.earlier]
    answer = third.ask(first_id, sizes[0])
    assert (answer.status, answer.offset) == ("new-log", cut[1])
    assert answer.lost_bytes == sizes[1] - cut[0]  # what the second run made, which this reader never had


@pytest.mark.parametrize(
    ("fsync", "clean", "keeps_its_id"),
    [("second", False, False), ("never", False, False), ("always", False, True), ("second", True, True)],
)
def test_another_start_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: str, clean: bool, keeps_its_id: bool
) -> None:
    first = Session(tmp_path / "log", fsync)
    first.append(line(1))
    first.directory.close() if clean else first.kill()
    boot = tmp_path / "boot_id"
    boot.write_text("another\n")
    monkeypatch.setattr(recovery, "_BOOT_ID", boot)
    second = Session(tmp_path / "log", fsync)
    assert (second.log.log_id == first.log.log_id) is keeps_its_id
    assert second.ask(first.log.log_id, second.log.end).status == ("ok" if keeps_its_id else "new-log")


def test_a_kill_changes_nothing(tmp_path: Path) -> None:
    first = Session(tmp_path)
    first.append(line(1))
    first.kill()
    with active_segment(tmp_path).open("ab") as file:
        file.write(line(2)[:40])  # torn, and seen by nobody
    second = Session(tmp_path)
    assert (second.log.log_id, second.log.end) == (first.log.log_id, first.log.end)
    assert not second.found.remarks


@pytest.mark.parametrize(
    ("odd", "is_event"),
    [
        (b'{"a":\r1}\n', True),
        (b'{"a":"\\ud800"}\n', True),
        (b'{"a":1e400}\n', True),
        (b'{"a":NaN}\n', False),
        (b"\x00\x00\n", False),
        (b"[" * 2000 + b"\n", False),
    ],
)
def test_a_line_that_cannot_be_read_is_left_and_counted(tmp_path: Path, odd: bytes, is_event: bool) -> None:
    first = Session(tmp_path)
    first.append(line(1), odd, line(2))
    end = first.log.end
    first.kill()
    second = Session(tmp_path)
    assert (second.log.end, second.log.events) == (end, 3)
    assert last_record_ids(second.found.segments[-1], "flat")["WS-1", "Security"] == 2
    assert [event.record_id for event in events_of(second.found.segments[-1], "flat")] == [1, 1, 2]
    assert any("1 lines" in each for each in second.found.remarks) is not is_event


def test_a_hole_moves_the_start_of_the_log(tmp_path: Path) -> None:
    first = Session(tmp_path)
    while len(list(tmp_path.glob("*.log"))) < 3:
        first.append(*map(line, range(1, 200)))
    end = first.log.end
    first.kill()
    starts = sorted(tmp_path.glob("*.log"))
    os.truncate(starts[0], 1000)
    second = Session(tmp_path)
    assert (second.log.start, second.log.end) == (int(starts[1].stem), end)
    assert second.ask(second.log.log_id, 0).status == "gap"
    assert any("missing" in each for each in second.found.remarks)


@pytest.mark.parametrize("damage", [b"", b"\x00\x00", None])
def test_figures_that_a_power_cut_took_are_worked_out_anew(tmp_path: Path, damage: bytes | None) -> None:
    first, number = Session(tmp_path), 0
    while len(list(tmp_path.glob("*.log"))) < 2:
        number += 1
        first.log.append(line(number), 1, lambda last=number: {("WS-1", "Security"): last})
    first.append(line(number + 1))
    first.kill()
    about = active_segment(tmp_path).with_suffix(".json")
    about.write_bytes(damage) if damage is not None else about.unlink()
    second = Session(tmp_path)
    assert second.log.events == number + 1
    assert second.log.record_ids["WS-1", "Security"] == number + 1


OTHER_DOCUMENTS = [
    b"[]", b"{}", b"null", b"5", b'"x"', b'{"events": "x", "record_ids": {}}', b'{"events": 1}',
    b'{"log_id": 5}', b'{"earlier": [[1]]}', b'{"starts": "2"}', b'{"127.0.0.1": null}', b"-5", b"9" * 30,
]  # fmt: skip
FILES = ("log.json", "end", "plain-clients.json", "first.json", "last.json", "first.log", "last.log")


def three_segments(folder: Path) -> bytes:
    """Everything that such a log holds, and that a kill left behind."""
    first, number = Session(folder), 0
    while len(list(folder.glob("*.log"))) < 3:
        number += 100
        lines = [line(each) for each in range(number - 99, number + 1)]
        first.log.append(b"".join(lines), 100, lambda last=number: {("WS-1", "Security"): last})
    first.append(line(number + 1), line(number + 2))
    PlainPositions(0, folder / "plain-clients.json").save([("127.0.0.1", 200)])
    first.kill()
    return b"".join(each.read_bytes() for each in sorted(folder.glob("*.log")))


def path_of(name: str, folder: Path) -> Path:
    first, last = (pick(folder.glob("*.log"), key=lambda path: path.name) for pick in (min, max))
    kind, _, suffix = name.partition(".")
    segment = {"first": first, "last": last}.get(kind)
    return segment.with_suffix(f".{suffix}") if segment else folder / name


def damage(path: Path, how: int, other: bytes) -> None:
    """Bytes of a log are lost, never changed: nothing tells that. Nor that `end` names another number."""
    if how < 0:
        path.unlink()
    elif path.suffix == ".log":
        os.truncate(path, min(how, path.stat().st_size))
    elif how % 2 or path.name == "end":
        path.write_bytes(other)
    else:
        content = bytearray(path.read_bytes())
        content[how % len(content)] ^= 1 + how % 255
        path.write_bytes(content)


@settings(max_examples=examples(60), deadline=None)
@given(
    damages=st.lists(
        st.tuples(st.sampled_from(FILES), st.integers(-1, 70_000), st.sampled_from(OTHER_DOCUMENTS)),
        min_size=1,
        max_size=3,
        unique_by=lambda each: each[0],
    )
)
def test_whatever_became_of_its_files_the_log_opens_and_no_offset_means_other_bytes(
    damages: list[tuple[str, int, bytes]], tmp_path_factory
):
    folder = tmp_path_factory.mktemp("log")
    before = three_segments(folder)
    log_id = json.loads((folder / "log.json").read_bytes())["log_id"]
    for name, how, other in damages:
        damage(path_of(name, folder), how, other)
    try:
        second = Session(folder)
    except recovery.LogDirectoryError:
        return  # the damage spells another --format, which is asked and not guessed
    PlainPositions(0, folder / "plain-clients.json", second.log.end).lowest("127.0.0.1", 0)
    second.append(*(line(number, "WS-2") for number in range(1, 600)))
    second.kill()
    if second.log.log_id == log_id:
        start, end = second.log.start, len(before)
        after = b"".join(each.read_bytes() for each in sorted(folder.glob("*.log")))
        assert after[: end - start] == before[start:]


def test_a_lost_log_json_begins_another_log_with_the_same_bytes(tmp_path: Path) -> None:
    first = Session(tmp_path)
    first.append(line(1))
    first.kill()
    (tmp_path / "log.json").write_bytes(b"")
    second = Session(tmp_path)
    assert second.log.log_id != first.log.log_id
    assert bytes(second.log.read(0)) == line(1)


def fail_after(size: int, code: int = errno.ENOSPC) -> Callable[[int, bytes], int]:
    """os.write on a disk that takes `size` bytes more."""
    real, left = os.write, [size]

    def write(file: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(code, os.strerror(code))
        taken = real(file, bytes(data)[: left[0]])
        left[0] -= taken
        return taken

    return write


def test_a_write_that_fails_half_way_leaves_offsets_and_file_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(tmp_path)
    session.append(line(1))
    end = session.log.end
    monkeypatch.setattr(log_directory.os, "write", fail_after(30))
    with pytest.raises(LogRefusedError, match="No space left"):
        session.append(line(2))
    monkeypatch.undo()
    assert "No space left" in session.log.trouble
    assert session.log.end == end == active_segment(tmp_path).stat().st_size
    session.log.every_second()  # there is room again
    assert not session.log.trouble
    session.append(line(3))
    session.kill()
    assert bytes(Session(tmp_path).log.read(0)) == line(1) + line(3)


def test_what_cannot_be_taken_back_ends_all_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(tmp_path)
    monkeypatch.setattr(log_directory.os, "write", fail_after(30))
    monkeypatch.setattr(log_directory.os, "ftruncate", lambda *_: fail_after(0, errno.EIO)(0, b""))
    with pytest.raises(LogRefusedError):
        session.append(line(2))
    monkeypatch.undo()
    session.log.every_second()
    assert "start the producer again" in session.log.trouble
    with pytest.raises(LogRefusedError, match="start the producer again"):
        session.append(line(3))
    session.kill()
    Session(tmp_path).append(line(3))


def test_the_last_burst_before_a_silence_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, synced = Session(tmp_path), []
    session.append(line(1))
    monkeypatch.setattr(log_directory.os, "fdatasync", synced.append)
    for _ in range(3):
        session.log.every_second()
    assert len(synced) == 1


def test_whoever_appends_rolls_and_trims(tmp_path: Path) -> None:
    session = Session(tmp_path)
    for number in range(1, 10_000):
        session.append(line(number))
    assert session.log.end - session.log.start <= RETAIN + RETAIN // 4
    assert sum(path.stat().st_size for path in tmp_path.glob("*.log")) <= RETAIN + RETAIN // 4


@pytest.mark.parametrize("kept", [0, 5])
def test_events_after_a_ledger_that_is_longer_than_the_log_are_no_posted_ones(
    tmp_path: Path, kept: int
) -> None:
    """A power cut took the events up to 9 from the log, but not from the ledger."""
    sequence = ("WS-1", "Security")
    session = Session(tmp_path)
    if kept:
        session.append(*map(line, range(1, kept + 1)))
    session.kill()
    session = Session(tmp_path)
    session.log.continue_after({sequence: 9})
    session.append(line(10), line(11))
    assert bytes(session.log.read(session.found.end)).count(b"\n") == 2
    session.kill()
    found = Session(tmp_path).found
    assert [each[:3] for each in events_of(found.segments[-1], "flat")] == [(*sequence, 10), (*sequence, 11)]
    assert last_record_ids(found.segments[-1], "flat") == {sequence: 11}
    assert b"".join(map(bytes, (each.data for each in found.segments))).count(b"\n") == kept + 2
