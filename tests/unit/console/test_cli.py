"""The command line of win-event-console: what it refuses, and the names of topics that it takes."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from console.cli import main
from console.settings import Topics

LOGIN = {"KAFKA_USERNAME": "observer", "KAFKA_PASSWORD": "x"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "WIN_EVENT_CONSOLE_TOKEN"),
        (["--flink-url", "127.0.0.1:8081"], "expected http:// or https:// at the beginning"),
        (["--result-topic", "alerts"], "expected RESULT=TOPIC"),
        (["--result-topic", "=x"], "expected RESULT=TOPIC"),
        (["--cache", "http://cache:6379"], "expected redis://HOST"),
        (["--cache", "redis://:hunter2@cache"], "WIN_EVENT_CACHE_PASSWORD_FILE"),
        (["--result-topic", "nothing=x"], "no such result; there are: alerts, "),
    ],
)
def test_what_cannot_work_is_a_usage_error(options: list[str], said: str) -> None:
    result = CliRunner().invoke(main, options, env=LOGIN)
    assert result.exit_code == 2
    assert said in result.output
    assert "hunter2" not in result.output


def test_the_topics_are_those_of_the_stack() -> None:
    """`win-event-stack env` exports these names for a topology of one's own."""
    names = {"KAFKA_TOPIC": "soc.windows.v1", "KAFKA_REJECTED_TOPIC": "soc.rejected.v1"}
    with CliRunner().isolation(env=names):
        values = main.make_context("win-event-console", []).params
    assert (values["events_topic"], values["rejected_topic"]) == ("soc.windows.v1", "soc.rejected.v1")


def test_results_may_have_other_topics() -> None:
    topics = Topics(events="e").renamed(
        {"alerts": "soc.alerts", "top_5m": "soc.top", "events_late": "soc.late"}
    )
    assert (topics.events, topics.rejected, topics.late) == ("e", "events_rejected", "soc.late")
    assert topics.results == (
        "soc.alerts", "events_by_level", "events_by_level_5m", "soc.top", "logon_sessions",
    )  # fmt: skip
