"""The command line of the bridge, without Flink."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from flink_bridge.job import main
from flink_bridge.options_cli import bridge_options, take_settings
from flink_bridge.settings import BridgeSettings


def settings(*options: str, **variables: str) -> BridgeSettings:
    taken: list[BridgeSettings] = []

    @click.command()
    @bridge_options
    def command(**values: Any) -> None:
        taken.append(take_settings(values))

    environment = {"KAFKA_USERNAME": "bridge", **variables}
    result = CliRunner().invoke(command, list(options), env=environment)
    assert result.exit_code == 0, result.output
    return taken[0]


def test_every_option_has_a_variable() -> None:
    options = [p for p in main.params if isinstance(p, click.Option) and p.name not in ("help", "version")]
    assert len(options) > 20
    for option in options:
        assert option.envvar, option.name
        assert option.show_envvar, option.name
        assert "password" not in (option.name or "") or option.name == "kafka_password_file"


def test_an_option_wins_over_the_environment() -> None:
    assert settings(KAFKA_TOPIC="from_variable").topic == "from_variable"
    assert settings("--kafka-topic", "from_option", KAFKA_TOPIC="from_variable").topic == "from_option"
    assert settings(WIN_EVENT_HEADERS="source, level").events.headers[1].text == "level"


def test_a_preset_sets_what_is_not_given() -> None:
    events = settings("--preset", "evtx-dump").events
    assert events.key_field.text == "Event.System.Computer"
    assert [field.text for field in events.headers][1] == "Event.System.EventID"
    given = settings("--preset", "winlogbeat", "--headers", "source", WIN_EVENT_KEY_FIELD="agent.name").events
    assert (given.key_field.text, given.timestamp_field.text) == ("agent.name", "@timestamp")
    assert [field.text for field in given.headers] == ["source"]


@pytest.mark.parametrize(
    ("option", "value"), [("--on-gap", "fail"), ("--on-gap", "continue"), ("--start-from", "latest")]
)
def test_flinks_own_source_has_no_positions(option: str, value: str) -> None:
    variables = {"KAFKA_USERNAME": "bridge"}
    result = CliRunner().invoke(main, ["--source", "socket", option, value], env=variables)
    assert result.exit_code == 2
    assert f"has no position in a log, so {option} has no meaning" in " ".join(result.output.split())
    variable = "WIN_EVENT_" + option[2:].upper().replace("-", "_")
    assert CliRunner().invoke(main, ["--source", "socket"], env=variables | {variable: value}).exit_code == 2
    assert settings("--source", "socket").source == "socket"
    assert settings("--source", "auto", option, value).source == "auto"


@pytest.mark.parametrize(
    "options",
    [
        ("--hostname", "a:b"),
        ("--key-field", "$..x"),
        ("--kafka-property", "nonsense"),
        ("--kafka-property", "delivery.timeout.ms=2min"),
        ("--kafka-property", "delivery.timeout.ms=20000"),
        ("--kafka-sasl-mechanism", "oauthbearer"),
        ("--kafka-rejected-topic", "events_processed"),
        ("--kafka-username", ""),
        ("--kafka-password-file", "relative"),
        ("--max-line", "0"),
        ("--delivery-guarantee", "perhaps"),
    ],
)
def test_what_cannot_work_is_a_usage_error(options: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, list(options), env={"KAFKA_USERNAME": "bridge"})
    assert result.exit_code == 2
    assert "Error" in result.output
    assert "Traceback" not in result.output
