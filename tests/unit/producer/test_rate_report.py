"""A producer in the background does not write its rate into the terminal that somebody uses."""

from __future__ import annotations

import os
import pty
import sys

from producer.rate_report import in_background

_ASKS = "from producer.rate_report import in_background; print(f'<{in_background()}>')"


def _in_a_terminal(command: str) -> str:
    """What a shell with job control shows for the command."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("bash", ["bash", "--norc", "-c", f"set -m; {command}"])  # noqa: S606 - in the terminal
    shown = b""
    try:
        while block := os.read(terminal, 4096):
            shown += block
    except OSError:  # Linux says so if the last program has closed the terminal
        pass
    os.close(terminal)
    os.waitpid(pid, 0)
    return shown.decode()


def test_a_shell_has_put_it_into_the_background() -> None:
    asks = f'{sys.executable} -c "{_ASKS}"'
    assert "<False>" in _in_a_terminal(asks)
    assert "<True>" in _in_a_terminal(f"{asks} & wait")


def test_a_file_is_no_terminal(capfd) -> None:
    assert not in_background()
