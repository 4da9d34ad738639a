"""A record becomes a line and a record again; a broken backup is refused with the reason."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from local_stack.backup.backup import BackupError, Writer, read_backup, read_records
from local_stack.backup.format import Record, as_line, read_line

some_bytes = st.none() | st.binary(max_size=30) | st.text(max_size=30).map(str.encode)


@settings(max_examples=examples(200), deadline=None)
@given(
    key=some_bytes,
    value=some_bytes,
    headers=st.lists(st.tuples(st.text(max_size=5), some_bytes), max_size=3),
    timestamp=st.none() | st.integers(0, 2**52),
)
def test_any_record_comes_back_as_it_was(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]], timestamp: int | None
) -> None:
    record = Record(7, timestamp, key, value, tuple(headers))
    line = as_line(record)
    assert line.count(b"\n") == 1
    assert read_line(line) == record


def test_text_can_be_read_in_the_file_and_other_bytes_are_base64() -> None:
    line = orjson.loads(as_line(Record(3, 5, b"WS-001", b"\xff\x00", (("level", b"Error"),))))
    assert line == {
        "offset": 3,
        "timestamp": 5,
        "key": "WS-001",
        "value": {"base64": "/wA="},
        "headers": [["level", "Error"]],
    }


def made(folder: Path) -> None:
    writer = Writer(folder)
    writer.open(0)
    writer.add(0, Record(0, 1, None, b"value"))
    writer.finish("topic", {0: (0, 1)}, {"cleanup.policy": "compact"})


def test_a_folder_is_there_when_it_is_whole_and_is_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    interrupted = Writer(folder)
    interrupted.open(5)
    interrupted.close()
    assert list(tmp_path.iterdir()) == []
    made(folder)
    assert sorted(file.name for file in folder.iterdir()) == ["partition-0.ndjson", "topic.json"]
    assert read_backup(folder).config == {"cleanup.policy": "compact"}
    assert [record.value for record in read_records(folder, 0)] == [b"value"]
    with pytest.raises(BackupError, match="already exists"):
        Writer(folder)


def test_a_backup_that_was_changed_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    with pytest.raises(BackupError, match="is not a backup"):
        read_backup(folder)
    made(folder)
    with (folder / "partition-0.ndjson").open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(BackupError, match="SHA-256 differs"):
        read_backup(folder)
    (folder / "topic.json").write_text('{"version": 9}')
    with pytest.raises(BackupError, match="version 9"):
        read_backup(folder)
