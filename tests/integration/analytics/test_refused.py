"""What cannot work is said in one sentence before anything is submitted."""

from __future__ import annotations

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
    ],
    ids=["missing topic", "may not read", "may not write"],
)
def test_what_kafka_would_refuse(stack: RunningStack, options: list[str], user: str, said: list[str]) -> None:
    line = refused(stack, "level_counts", *options, user=user)
    assert all(words in line for words in said), line
