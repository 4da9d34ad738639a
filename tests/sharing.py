"""Which test files go to one process of `make test` together, and which groups of them come first."""

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
    ("tests/unit/flink_bridge/",),  # needs no server, but a JVM
    ("tests/integration/kafka_setup/test_three_brokers.py",),
    ("tests/integration/producer/test_log_directory.py",),
)


def group_of(nodeid: str) -> str:
    """The name of the file's group: the first entry of the group, or the file itself."""
    file = nodeid.partition("::")[0]
    return next((each[0] for each in TOGETHER if file.startswith(each)), file)


def rank(nodeid: str) -> int:
    """0 comes first: the groups above in their order, then the other integration tests, then unit tests."""
    group = group_of(nodeid)
    names = [each[0] for each in TOGETHER]
    if group in names:
        return names.index(group)
    return len(names) + needs_no_server(nodeid)


def needs_no_server(nodeid: str) -> bool:
    """Whether the test, and all that come after it in its process, are unit tests."""
    return nodeid.startswith("tests/unit/") and group_of(nodeid) == nodeid.partition("::")[0]
