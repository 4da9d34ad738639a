"""In a folder where no stack was ever started, each command says so in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from local_stack.cli import main

UP_FIRST = "First: win-event-stack up"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["doctor"], "GiB free for"),
        (["status", "--once"], "nothing runs"),
        (["logs", "kafka-1"], "There are: none yet"),
        (["down"], "nothing was running"),
        (["down", "--wipe"], "nothing was running"),
        (["env"], UP_FIRST),
        (["peek", "events_processed"], UP_FIRST),
        (["export", "events_processed", "{folder}/backup"], UP_FIRST),
        (["sql"], UP_FIRST),
        (["cdc", "status"], UP_FIRST),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_without_a_stack_says_what_to_do(command: list[str], said: str, tmp_path: Path) -> None:
    words = [word.replace("{folder}", str(tmp_path)) for word in command]
    result = CliRunner().invoke(main, words, env={"WIN_EVENT_STACK_DIR": str(tmp_path / "no" / "such")})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert said in result.output
