"""Which test files share a process of `make test` and `make test-rest`, and which groups come first."""

from __future__ import annotations

# Files that share a process, and so its broker and cluster; any other file may go to any process. Groups
# stand here by the time they take, the longest first: a long one that comes last leaves the others idle.
# A process keeps its broker and cluster from group to group, so more and smaller groups cost nothing.
TOGETHER = (
    ("tests/integration/local_stack/",),
    ("tests/integration/analytics/",),
    ("tests/integration/console/",),
    ("tests/integration/flink_bridge/", "tests/integration/test_pipeline.py"),
    ("tests/integration/deploy/",),
    ("tests/integration/consumer/",),
    ("tests/integration/docs/",),
    ("tests/integration/detection/",),
    ("tests/integration/kafka_setup/test_setup.py", "tests/integration/kafka_setup/test_own_tools.py"),
    ("tests/integration/forward/",),
    ("tests/faults/",),
    ("tests/unit/flink_bridge/test_log_reader.py",),  # these two need no server, but a JVM each
    ("tests/unit/flink_bridge/",),
    ("tests/integration/kafka_setup/test_three_brokers.py",),
    ("tests/integration/producer/test_log_directory.py",),
)

GROUPS = [each[0] for each in TOGETHER]

# Unit tests that wait for seconds, most of them idle: they begin before the others.
WAITING = (
    "tests/unit/kafka_setup/test_session.py",
    "tests/unit/console/test_reading.py",
    "tests/unit/local_stack/test_watchdog.py",
)


def group_of(nodeid: str) -> str:
    """The name of the file's group: the first entry of the group, or the file itself."""
    file = nodeid.partition("::")[0]
    return next((each[0] for each in TOGETHER if file.startswith(each)), file)


def rank(nodeid: str) -> int:
    """0 comes first: the groups above in their order, then the other integration tests, then unit tests."""
    group = group_of(nodeid)
    if group in GROUPS:
        return GROUPS.index(group)
    if not needs_no_server(nodeid):
        return len(GROUPS)
    return len(GROUPS) + (1 if group in WAITING else 2)


def needs_no_server(nodeid: str) -> bool:
    """Whether the test, and all that come after it in its process, are unit tests."""
    return nodeid.startswith("tests/unit/") and group_of(nodeid) not in GROUPS
