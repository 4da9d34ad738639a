"""Who shares a process, and in which order the groups are handed out."""

from __future__ import annotations

from pathlib import Path

from sharing import TOGETHER, WAITING, group_of, needs_no_server, rank

ROOT = Path(__file__).resolve().parents[3]


def test_every_group_names_what_is_there() -> None:
    assert [path for group in (*TOGETHER, WAITING) for path in group if not (ROOT / path).exists()] == []


def test_files_that_share_a_cluster_have_one_group() -> None:
    one, other = (
        "tests/integration/test_pipeline.py::test_a",
        "tests/integration/flink_bridge/test_x.py::test_b",
    )
    assert group_of(one) == group_of(other)
    assert group_of("tests/unit/a.py::test_c[::]") == "tests/unit/a.py"


def test_long_groups_come_first_and_unit_tests_fill_the_rest() -> None:
    wanted = [
        *(f"{path}::test" for group in TOGETHER for path in group),
        "tests/integration/producer/test_http.py::test",
        f"{WAITING[0]}::test",
        "tests/unit/producer/test_http.py::test",
    ]
    assert [rank(each) for each in wanted] == sorted(rank(each) for each in wanted)


def test_servers_are_stopped_only_when_nothing_that_needs_them_can_follow() -> None:
    """Groups with a JVM are handed out among those with servers, even one that is a single file."""
    assert [path for group in TOGETHER for path in group if needs_no_server(f"{path}::test")] == []
    assert all(needs_no_server(f"{path}::test") for path in WAITING)
