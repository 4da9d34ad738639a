"""What the stack prints is text, not markup."""

from __future__ import annotations

import pytest

from local_stack.processes import StartError
from local_stack.terminal import TerminalReporter

TEXT = "uv pip install 'win-event-bridge[cdc]' # [/127.0.0.1:6123] [bold]"


def test_square_brackets_in_a_text_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = TerminalReporter()
    reporter.doing(TEXT)
    reporter.done(TEXT)
    reporter.failed(StartError(TEXT))
    assert capsys.readouterr().err == f"✓ {TEXT}\nerror: {TEXT}\n"
