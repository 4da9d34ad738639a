"""Flink's SQL client and the gateway's REST, as docs/ANALYTICS.md shows them, on live topics."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import attacked
import oracle
import pytest
from asking import send, some_events
from running import BIN, REPOSITORY, RunningStack, free_ports, run

pytestmark = pytest.mark.integration

Filled = tuple[RunningStack, str, list[attacked.Event]]


@pytest.fixture(scope="module")
def with_gateway(stack: RunningStack) -> Filled:
    topic, _ = stack.create_topics("gateway")
    events = some_events(2, 300, days_ago=5)
    send(stack, topic, events)
    stack.up("--sql", "--sql-port", str(free_ports(1)[0]))
    return stack, topic, events


def test_the_sql_client_asks_a_live_topic(with_gateway: Filled, tmp_path: Path) -> None:
    stack, topic, events = with_gateway
    script = tmp_path / "questions.sql"
    script.write_text(
        "SELECT `level`, COUNT(*) AS events FROM events GROUP BY `level`;\n"
        "SELECT COUNT(*) AS refused FROM rejected;\n"
    )
    variables = {"KAFKA_TOPIC": topic, "WIN_EVENT_BOUNDED": "true"}
    answer = run(BIN / "win-event-stack", "sql", "-f", script, env={**stack.environment, **variables})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for row in oracle.level_counts(events).values():
        lines = answer.stdout.splitlines()
        assert any(row["level"] in line and f" {row['events']} |" in line for line in lines), answer.stdout
    secret = (stack.stack.secrets / "analytics").read_text()
    assert secret not in answer.stdout + answer.stderr
    assert secret not in (stack.stack.directory / "flink" / "tables.sql").read_text()
    assert secret not in (stack.stack.logs / "sql-gateway.log").read_text()


def test_python_asks_the_gateway_as_the_page_shows(with_gateway: Filled) -> None:
    stack, topic, _ = with_gateway
    page = (REPOSITORY / "docs" / "ANALYTICS.md").read_text(encoding="utf-8")
    (block,) = [text for text in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "GATEWAY" in text]
    block = block.replace("http://127.0.0.1:8083", stack.stack.sql_url)
    environment = {**stack.shell("analytics"), "KAFKA_TOPIC": topic}
    answer = run(sys.executable, "-c", block, env=environment, cwd=REPOSITORY)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    selected, started, stopped = answer.stdout.splitlines()
    assert selected.count(".example") == 5
    assert "RUNNING" in started
    assert "OK" in stopped
