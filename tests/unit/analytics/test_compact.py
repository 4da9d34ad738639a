"""The archive as Parquet: the same lines, each once, also after kills and with unfinished parts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

import pytest
from aws import LOGIN, client, moto_thread
from click.testing import CliRunner, Result
from running import wait_until

from analytics import parquet
from analytics.compact_cli import main
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

START = datetime(2026, 11, 20, 10, tzinfo=timezone.utc)
SHAPES = ("flat", "winlogbeat", "nxlog", "winevtlog")
SECURITY = "day=2026-11-20/hour=10/channel=Security"


def _lines(count: int, shape: str = "flat") -> list[bytes]:
    settings = GeneratorSettings(seed=3, fmt=shape, start_time=START)
    return [event.line.rstrip(b"\n") for event in islice(generate(settings), count)]


def _part(archive: Path, name: str, lines: list[bytes]) -> Path:
    part = archive / name
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(b"".join(line + b"\n" for line in lines))
    return part


def _compact(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def _rows(target: Path) -> list[dict[str, object]]:
    from pyarrow.dataset import dataset  # brings pandas: every process of the tests imports this file

    return dataset(target, partitioning="hive").to_table().to_pylist()


def _told(target: Path) -> list[bytes]:
    return sorted(str(row["line"]).encode() for row in _rows(target))


@pytest.mark.parametrize("shape", SHAPES)
def test_pyarrow_reads_back_every_line_with_its_time_and_computer(tmp_path: Path, shape: str) -> None:
    lines = _lines(500, shape)
    _part(tmp_path / "archive", f"{SECURITY}/part-1", lines[:300])
    _part(tmp_path / "archive", f"{SECURITY}/part-2", lines[300:])
    answer = _compact(tmp_path / "archive", tmp_path / "parquet")
    assert answer.exit_code == 0, answer.output
    assert answer.output == "500 events of 2 parts in 1 new files; 0 parts removed\n"
    rows = _rows(tmp_path / "parquet")
    assert [str(row["line"]).encode() for row in rows] == lines
    assert {(row["day"], row["hour"], row["channel"]) for row in rows} == {("2026-11-20", 10, "Security")}
    events = list(islice(generate(GeneratorSettings(seed=3, fmt=shape, start_time=START)), 500))
    assert [row["computer"] for row in rows] == [event.computer for event in events]
    first = rows[0]["event_time"]
    assert isinstance(first, datetime)
    assert first.isoformat()[:19].encode() in lines[0].replace(b" ", b"T")


def test_only_complete_parts_are_taken_and_a_repeat_takes_only_new_ones(tmp_path: Path) -> None:
    archive, parquet, lines = tmp_path / "archive", tmp_path / "parquet", _lines(40)
    _part(archive, f"{SECURITY}/part-1", lines[:10])
    _part(archive, f"{SECURITY}/.part-2.inprogress", lines[10:20])
    _part(archive, f"{SECURITY}/_SUCCESS", [])
    _part(parquet, f"{SECURITY}/_incoming-events-1.parquet", [b"what a killed run left"])
    assert "10 events of 1 parts in 1 new files" in _compact(archive, parquet).output
    assert "0 events of 0 parts in 0 new files" in _compact(archive, parquet).output
    (archive / SECURITY / ".part-2.inprogress").rename(archive / SECURITY / "part-2")
    assert "10 events of 1 parts in 1 new files" in _compact(archive, parquet).output
    assert _told(parquet) == sorted(lines[:20])


@pytest.mark.programs
def test_what_a_killed_run_has_left_is_completed(tmp_path: Path) -> None:
    archive, parquet, lines = tmp_path / "archive", tmp_path / "parquet", _lines(160)
    for number in range(0, 160, 4):
        _part(archive, f"day=2026-11-20/hour=10/channel={number}/part-1", lines[number : number + 4])
    command = [sys.executable, "-m", "analytics.compact_cli", str(archive), str(parquet)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as killed:
        wait_until(lambda: list(parquet.rglob("events-*.parquet")), "the first file")
        killed.kill()
    assert _compact(archive, parquet).exit_code == 0
    assert _told(parquet) == sorted(lines)


@pytest.fixture
def removed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "KEPT", 0.0)


def test_a_part_that_a_restarted_job_may_look_for_stays(tmp_path: Path) -> None:
    archive, lines = tmp_path / "archive", _lines(20)
    young = _part(archive, f"{SECURITY}/part-1", lines[:10])
    old = _part(archive, f"{SECURITY}/part-2", lines[10:])
    os.utime(old, (time.time() - parquet.KEPT - 1,) * 2)
    answer = _compact(archive, tmp_path / "parquet", "--remove")
    assert answer.output == "20 events of 2 parts in 1 new files; 1 parts removed\n"
    assert (young.exists(), old.exists()) == (True, False)


@pytest.mark.usefixtures("removed_at_once")
def test_parts_go_only_when_their_events_stand_in_a_file(tmp_path: Path) -> None:
    archive, target, lines = tmp_path / "archive", tmp_path / "parquet", _lines(20)
    good = _part(archive, f"{SECURITY}/part-1", lines[:10])
    bad = _part(archive, "day=2026-11-20/hour=11/channel=System/part-1", [*lines[10:15], b"\xff"])
    answer = _compact(archive, target, "--remove")
    assert answer.exit_code == 1
    assert "channel=System/part-1, line 6 is not UTF-8" in answer.output
    assert (good.exists(), bad.exists()) == (False, True)


@pytest.mark.parametrize(
    ("archive", "target", "code", "said"),
    [
        ("none", "parquet", 1, "none: no complete part is in it"),
        ("archive", "archive/parquet", 2, "is inside ARCHIVE"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    tmp_path: Path, archive: str, target: str, code: int, said: str
) -> None:
    _part(tmp_path / "archive", f"{SECURITY}/part-1", _lines(2))
    answer = _compact(tmp_path / archive, tmp_path / target)
    assert answer.exit_code == code
    assert said in answer.output
    assert "Traceback" not in answer.output


def test_a_damaged_file_of_the_target_is_named(tmp_path: Path) -> None:
    _part(tmp_path / "archive", f"{SECURITY}/part-1", _lines(2))
    _part(tmp_path / "parquet", "day=1/events-1.parquet", [b"PAR1 was cut"])
    answer = _compact(tmp_path / "archive", tmp_path / "parquet")
    assert answer.exit_code == 1
    assert "events-1.parquet cannot be read as Parquet" in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.programs
@pytest.mark.usefixtures("removed_at_once")
def test_an_archive_in_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _lines(20)
    with moto_thread() as endpoint:
        for name, value in (LOGIN | {"AWS_ENDPOINT_URL": endpoint}).items():
            monkeypatch.setenv(name, value)
        bucket = client("s3", endpoint)
        bucket.create_bucket(Bucket="events")
        for number in range(2):
            body = b"".join(line + b"\n" for line in lines[number * 10 : number * 10 + 10])
            bucket.put_object(Bucket="events", Key=f"all/{SECURITY}/part-{number}", Body=body)
        answer = _compact("s3://events/all", "s3://events/parquet", "--remove")
        assert answer.output == "20 events of 2 parts in 1 new files; 2 parts removed\n"
        keys = [each["Key"] for each in bucket.list_objects_v2(Bucket="events")["Contents"]]
        (file,) = [key for key in keys if not key.endswith("/")]
        assert file.startswith(f"parquet/{SECURITY}/events-")
        place = tmp_path / SECURITY / "events.parquet"
        place.parent.mkdir(parents=True)
        bucket.download_file("events", file, str(place))
    assert _told(tmp_path) == sorted(lines)
