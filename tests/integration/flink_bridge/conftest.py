"""The bridge on the session's stack, submitted with the given options."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from jvm_reader import reader
from plain_jvm import compile_java, gateway
from running import Job, RunningStack

__all__ = ["compile_java", "gateway", "reader"]


@pytest.fixture
def submit(stack: RunningStack, topics: tuple[str, str]) -> Iterator[Callable[..., Job]]:
    """Submits the bridge into the test's topics; cancels it after the test."""
    jobs: list[Job] = []

    def start(port: int, *options: str, **variables: str) -> Job:
        sink = ("--kafka-topic", topics[0], "--kafka-rejected-topic", topics[1])
        jobs.append(stack.submit("--port", str(port), *sink, *options, **variables))
        return jobs[-1]

    yield start
    for job in jobs:
        job.cancel()
