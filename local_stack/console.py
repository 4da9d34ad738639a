"""`up --console`: win-event-console as a daemon of the stack."""

from __future__ import annotations

import os

from local_stack import processes, shell_environment
from local_stack.broker.kafka_objects import watcher
from local_stack.layout import COMMANDS, Stack

NAME = "console"


def start_console(stack: Stack) -> None:
    """Start the console; returns when the page answers. Raises StartError."""
    processes.check_port_free(stack.console_port, "the console", "--console-port")
    command = [str(COMMANDS / "win-event-console"), "--port", str(stack.console_port)]
    daemon = processes.start(stack, NAME, command, _environment(stack), stack.directory)
    processes.wait_until_listening(daemon, stack.console_port)


def _environment(stack: Stack) -> dict[str, str]:
    """The user's settings of the console, such as a token, with the addresses of the stack."""
    return {
        **os.environ,
        **shell_environment.exports(stack),
        **shell_environment.login(stack, watcher(stack)),
        "WIN_EVENT_FLINK_URL": stack.flink_url,
        "WIN_EVENT_PRODUCER_URL": f"http://{stack.producer_metrics}",
    }
