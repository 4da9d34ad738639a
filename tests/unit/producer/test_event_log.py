"""The log compared with a model that removes nothing: a bytes object with all appended lines."""

import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from producer.log.event_log import EventLog, TrimmedError
from producer.log.log_directory import LogDirectory, LogDirectoryError

LINES = st.lists(st.integers(1, 30_000), min_size=1, max_size=4).map(
    lambda sizes: b"".join(b'{"n":"' + b"x" * size + b'"}\n' for size in sizes)
)
RETAIN = 256 * 1024


class LogMachine(RuleBasedStateMachine):
    """Appends, reads from anywhere and trims in any order, with and without a directory, over restarts."""

    @initialize(on_disk=st.booleans())
    def begin(self, on_disk: bool) -> None:
        self.everything = b""
        self.folder = TemporaryDirectory() if on_disk else None
        self.directory = None
        self.open()

    def open(self) -> None:
        if self.folder is None:
            self.log = EventLog(RETAIN)
            return
        self.directory = LogDirectory(Path(self.folder.name), RETAIN, "never")
        self.log = EventLog(RETAIN, self.directory, self.directory.open("flat"))

    @rule(lines=LINES, repeat=st.integers(1, 8))
    def append(self, lines: bytes, repeat: int) -> None:
        for _ in range(repeat):
            self.log.append(lines, lines.count(b"\n"))
            self.everything += lines

    @rule(share=st.floats(0, 1))
    def read(self, share: float) -> None:
        offset = int(len(self.everything) * share)
        if offset < self.log.start:
            with pytest.raises(TrimmedError):
                self.log.read(offset)
            return
        received = bytearray()
        while view := self.log.read(offset + len(received)):
            received += view
        assert received == self.everything[offset:]

    @rule(share=st.floats(0, 1))
    def find_the_start_of_a_line(self, share: float) -> None:
        offset = max(int(len(self.everything) * share), self.log.start)
        expected = self.everything.rfind(b"\n", 0, offset) + 1
        assert self.log.line_start(offset) == expected

    @rule()
    def restart(self) -> None:
        if self.directory and self.folder:
            log_id, start = self.log.log_id, self.log.start
            self.directory.close()
            self.open()
            assert (self.log.log_id, self.log.start) == (log_id, start)

    @invariant()
    def it_is_bounded_and_whole(self) -> None:
        assert self.log.end == len(self.everything)
        assert self.log.events == self.everything.count(b"\n")
        assert self.log.start == 0 or self.everything[self.log.start - 1 : self.log.start] == b"\n"
        largest_append = 4 * 30_010
        assert self.log.end - self.log.start <= RETAIN + 64 * 1024 + largest_append

    def teardown(self) -> None:
        if self.directory:
            self.directory.close()
        if self.folder:
            self.folder.cleanup()


LogMachine.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None)
TestLog = LogMachine.TestCase


@settings(max_examples=examples(60), deadline=None)
@given(torn=st.binary(max_size=200), cut=st.integers(0, 60))
def test_recovery_cuts_what_is_torn_and_keeps_every_whole_line(torn: bytes, cut: int) -> None:
    lines = b'{"n":"0123456789"}\n' * 3
    content = lines[: len(lines) - cut] + torn
    whole = 3 if cut == 0 else (len(lines) - cut) // 19
    with TemporaryDirectory() as folder:
        directory = LogDirectory(Path(folder), RETAIN)
        directory.open("flat")
        directory.write(content)
        directory.close()
        directory = LogDirectory(Path(folder), RETAIN)
        recovered = bytes(directory.open("flat").segments[-1].data)
        directory.close()
    assert recovered.startswith(b'{"n":"0123456789"}\n' * whole)
    assert recovered == content[: content.rfind(b"\n") + 1]


def test_a_full_log_waits_for_the_reader_it_is_held_for() -> None:
    log, cursor = EventLog(65536), 0
    log.hold_for(lambda: cursor)
    while not log.is_full():
        log.append(b"x" * 9999 + b"\n", 1)
    assert log.start == 0
    cursor = log.end
    assert not log.is_full()
    assert log.start > 0


def test_every_waiting_reader_gets_all_that_is_appended() -> None:
    log = EventLog(1 << 20)
    received: list[bytearray] = [bytearray() for _ in range(8)]

    def read(own: bytearray) -> None:
        while len(own) < 50 * 1000:
            if log.wait(len(own), 5):
                own += log.read(len(own))

    readers = [threading.Thread(target=read, args=(own,)) for own in received]
    for reader in readers:
        reader.start()
    expected = b""
    for number in range(50):
        line = f"{number:0999d}\n".encode()
        log.append(line, 1)
        expected += line
    for reader in readers:
        reader.join(20)
    assert all(bytes(own) == expected for own in received)


def test_the_lag_in_events_is_exact_at_appends() -> None:
    log = EventLog(1 << 20)
    for _ in range(3):
        log.append(b"x" * 70_000 + b"\n" + b"y\n" * 9, 10)
    assert [log.events_before(offset) for offset in (0, 70_019, 140_038, 210_057)] == [0, 10, 20, 30]


def test_two_writers_of_one_directory_are_refused(tmp_path: Path) -> None:
    directory = LogDirectory(tmp_path, RETAIN)
    with pytest.raises(LogDirectoryError, match="another producer"):
        LogDirectory(tmp_path, RETAIN)
    directory.close()


def test_a_directory_of_another_format_is_refused(tmp_path: Path) -> None:
    directory = LogDirectory(tmp_path, RETAIN)
    directory.open("flat")
    with pytest.raises(LogDirectoryError, match="--format flat"):
        directory.open("nxlog")
    directory.close()


def test_resuming_from_every_offset_gives_exactly_the_rest() -> None:
    log, everything = EventLog(1 << 20), b""
    for size in (3, 70_000, 1, 200, 65_000, 9):
        line = b"x" * size + b"\n"
        log.append(line, 1)
        everything += line
    size = len(everything)
    offsets = [*range(0, size, 997), *range(300), *range(size - 300, size + 1)]
    for offset in offsets:
        rest, at = b"", offset
        while view := log.read(at):
            rest, at = rest + bytes(view), at + len(view)
        assert rest == everything[offset:]
