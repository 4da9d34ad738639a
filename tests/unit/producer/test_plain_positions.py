"""Plain clients of one address reconnect in any order, with new ones: no client skips events."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.serving.plain_positions import PlainPositions

CLIENTS = st.integers(0, 4)
STEPS = st.lists(st.tuples(CLIENTS, st.integers(0, 50_000)), max_size=60)


@settings(max_examples=examples(300), deadline=None)
@given(steps=STEPS, restarts=st.sets(st.integers(0, 59)))
def test_everybody_goes_on_at_or_before_where_it_was(
    steps: list[tuple[int, int]], restarts: set[int], tmp_path_factory
) -> None:
    """A step: a client that is connected leaves after so many more bytes; any other connects."""
    file = tmp_path_factory.mktemp("positions") / "plain-clients.json"
    positions, end = PlainPositions(0, file), 0
    left: dict[int, int] = {}  # where each client was when it left
    here: dict[int, int] = {}
    for number, (client, more) in enumerate(steps):
        end += more
        if number in restarts:
            positions.save([("a", offset) for offset in here.values()])
            left |= here
            here.clear()
            positions = PlainPositions(0, file, end)
        if client in here:
            left[client] = min(here.pop(client) + more, end)
            positions.leave("a", left[client])
            continue
        start = positions.lowest("a", 0)
        here[client] = end if start is None else start
        assert here[client] <= left.get(client, end)


def test_a_place_is_kept_until_the_log_no_longer_has_it(tmp_path: Path) -> None:
    positions = PlainPositions(0)
    positions.leave("a", 5_000_000)
    positions.leave("a", 9_000_000)
    assert positions.lowest("a", 0) == 5_000_000
    assert positions.lowest("b", 0) is None
    assert (
        positions.lowest("a", 7_000_000) == 7_000_000
    )  # who left at 5,000,000 has lost bytes, and hears of it
    assert positions.lowest("a", 7_000_000) == 9_000_000
    assert positions.lowest("a", 20_000_000) == 20_000_000
    assert positions.lowest("a", 20_000_000) is None


def test_many_places_are_rounded_down() -> None:
    positions = PlainPositions(0)
    for number in range(2000, 12_000):
        positions.leave("a", number * 1000)
    assert len(positions._left["a"]) <= 257
    assert positions.lowest("a", 0) == 2**20
    assert max(positions._left["a"]) <= 11_999_000


def test_bytes_that_a_power_cut_took_are_nobodys_place(tmp_path: Path) -> None:
    file = tmp_path / "plain-clients.json"
    positions = PlainPositions(0, file)
    positions.save([("a", 5000)])
    assert PlainPositions(0, file, end=3000).lowest("a", 0) == 3000
    file.write_bytes(b"")
    assert PlainPositions(0, file).lowest("a", 0) is None
    file.write_text('{"a": 17}')  # as an earlier version wrote it
    assert PlainPositions(0, file).lowest("a", 0) == 17


def test_many_threads_save_at_once(tmp_path: Path) -> None:
    """Each plain client that begins saves all positions, and so does a thread every second."""
    file = tmp_path / "plain-clients.json"
    positions = PlainPositions(0, file)

    def save(number: int) -> None:
        positions.leave(f"10.0.0.{number}", number)
        positions.save([("a", number)])
        assert isinstance(json.loads(file.read_text()), dict)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(save, range(200)))
    assert len(json.loads(file.read_text())) == 201


def test_a_file_that_cannot_be_written_ends_no_client(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "log"
    folder.touch()
    positions = PlainPositions(0, folder / "plain-clients.json")
    for _ in range(3):
        positions.save([("a", 5)])
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.endswith("File exists: after a restart, plain clients may miss events")
    folder.unlink()
    positions.save([("a", 5)])
    assert json.loads((folder / "plain-clients.json").read_text()) == {"a": [5]}
