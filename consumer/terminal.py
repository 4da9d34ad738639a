"""Standard output as the tools use it: raw bytes for data, rich for looks."""

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
_PIPE_COLUMNS = 160  # rich would fold tables at 80 where nobody's terminal sets a limit


def write_stdout(data: bytes) -> None:
    """All of `data`, unbuffered: a whole block costs one call. Raises BrokenPipeError and other OSErrors."""
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def table_console() -> Console:
    """For tables on stdout: as wide as the terminal, wide in a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPE_COLUMNS)


def painter(console: Console) -> Paint:
    """Colours as the console has them; none under NO_COLOR or in a pipe."""
    system = None if console.no_color else _SYSTEMS.get(console.color_system or "")
    return lambda text, style: style.render(text, color_system=system) if system else text
