"""Standard output of the tools: raw bytes for data, rich for tables and colours."""

from __future__ import annotations

import os

from rich.color import ColorSystem
from rich.console import Console

from consumer.tail.view import Paint

_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}
_PIPE_COLUMNS = 160  # without a terminal, rich would fold tables at 80 characters


def write_stdout(data: bytes) -> None:
    """Write all of `data`, unbuffered.

    One call for a whole block. Raises BrokenPipeError and other OSErrors.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def table_console() -> Console:
    """A console for tables on stdout: as wide as the terminal, and very wide in a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPE_COLUMNS)


def painter(console: Console) -> Paint:
    """Colours for a console; none with NO_COLOR or in a pipe."""
    system = None if console.no_color else _SYSTEMS.get(console.color_system or "")
    return lambda text, style: style.render(text, color_system=system) if system else text
