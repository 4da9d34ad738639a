"""The escaping of logins, compared with Kafka's own parser."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from running import RunningStack, run

pytestmark = pytest.mark.integration


def test_whatever_the_login_it_reaches_kafka_unchanged(stack: RunningStack) -> None:
    result = run(sys.executable, Path(__file__).with_name("jaas_tokens.py"), env=stack.shell())
    assert "every value came back as it went in" in result.stdout, result.stdout + result.stderr
