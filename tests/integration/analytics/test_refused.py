"""If a question cannot work, one sentence says so before anything is submitted."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking import refused
from running import RunningStack

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("options", "user", "said"),
    [
        (["--kafka-topic", "not_there"], "analytics", ["not_there", "is the name right?", "READ on it"]),
        ([], "bridge", ["Not authorized", "as bridge", "log in as analytics"]),
        (
            ["--result-topic", "events_by_level=private"],
            "analytics",
            ["private", "Not authorized", "WRITE on it"],
        ),
        (
            ["--parallelism", "1000"],
            "analytics",
            ["--parallelism 1000", "the cluster has only", "--taskmanagers"],
        ),
    ],
    ids=["missing topic", "may not read", "may not write", "too many subtasks"],
)
def test_what_kafka_or_the_cluster_would_refuse(
    stack: RunningStack, options: list[str], user: str, said: list[str]
) -> None:
    line = refused(stack, "level_counts", *options, user=user)
    assert all(words in line for words in said), line


def test_a_topic_of_the_inventory_that_may_not_be_read(stack: RunningStack) -> None:
    """The advice is about the refused topic, not about the first one."""
    prefix = ("--transactional-id-prefix", "win-event-detection")
    line = refused(stack, "alerts_in_context", *prefix, user="detection")
    assert "inventory." in line
    assert "allow the user READ on it: win-event-stack up --cdc" in line


def test_a_folder_that_cannot_be_written(stack: RunningStack, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = f"file://{tmp_path}/file/archive"
    line = refused(stack, "archive", "--archive-path", folder)
    assert folder in line
    assert "check the folder and its permissions" in line
