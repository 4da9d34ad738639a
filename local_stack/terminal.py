"""The output of the stack on a terminal: a spinner, ticked lines, errors with the last lines of the log."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from local_stack.jars.jars import JarError
from local_stack.layout import LayoutError, Stack, load_stack
from local_stack.processes import StartError


class TerminalReporter:
    """A spinner for the current step, a line for each finished one; in a pipe, only the lines."""

    def __init__(self, stderr: bool = True) -> None:
        self.console = Console(stderr=stderr, highlight=False)
        self._spinner = Status("", console=self.console)

    def doing(self, what: str) -> None:
        if self.console.is_terminal:
            self._spinner.update(Text(f"{what} …"))
            self._spinner.start()

    def done(self, what: str) -> None:
        self.line(f"[green]✓[/] {escape(what)}")

    def pause(self) -> None:
        """Remove the spinner, for a line that is printed by other code."""
        self._spinner.stop()

    def line(self, markup: str) -> None:
        """Print a line that stays; the spinner is removed."""
        self._spinner.stop()
        self.console.print(markup, soft_wrap=True)

    def failed(self, error: BaseException) -> None:
        self._spinner.stop()
        log = getattr(error, "log", None)
        if log and log.exists():
            self.console.print(f"[dim]last lines of {log.name}:[/]")
            lines = log.read_text(errors="replace").splitlines()[-15:]
            self.console.print("\n".join(lines), markup=False, style="dim")
        self.console.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)


def current_stack() -> Stack:
    """The stack for a command; if its description cannot be read, the command ends."""
    try:
        return load_stack()
    except LayoutError as error:
        TerminalReporter().failed(error)
        sys.exit(1)


@contextmanager
def errors_told(reporter: TerminalReporter) -> Iterator[None]:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM cleans up like Ctrl-C
    try:
        yield
    except (StartError, JarError, LayoutError) as error:
        reporter.failed(error)
        sys.exit(1)
    except KeyboardInterrupt:
        reporter.failed(KeyboardInterrupt("interrupted"))
        sys.exit(130)
