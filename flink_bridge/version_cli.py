"""The toolkit's version, for the jobs' --version; a Flink image has the files without the package."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

import click


def version_option() -> Callable[[Any], Any]:
    """`--version` of a job."""
    try:
        version = metadata.version("win-event-bridge")
    except metadata.PackageNotFoundError:
        version = "unknown (win-event-bridge is not installed as a package here)"
    return click.version_option(version, prog_name="win-event-bridge")
