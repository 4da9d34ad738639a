"""The command that adds an extra of this toolkit to the running installation."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec
from pathlib import Path

NAME = "win-event-bridge"


@contextmanager
def needed(tool: str, extra: str, *modules: str) -> Iterator[None]:
    """Around the imports of a tool: if one of these modules is not installed, end and say how to add it."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in modules:
            raise
        if sys.argv[1:] == ["--version"]:
            print(f"{tool}, version {version(NAME)}")
            sys.exit()
        sys.exit(f"error: {missing(tool, module, extra)}")


def missing(what: str, module: str, extra: str) -> str:
    """Names the extra that `what`, a tool or an option, needs, and the command that adds it."""
    return f"{what} needs {module}, which comes with the extra `{extra}`. To add it:\n  {how_to_add(extra)}"


def how_to_add(extra: str) -> str:
    """The command, for an installation by pipx, uv tool, pip or uv, from an index, a file or a repository."""
    what = shlex.quote(requirement(extra, _origin()))
    folders = Path(sys.prefix).parts
    if "pipx" in folders:
        return f"pipx install --force {what}"
    if folders[-3:-1] == ("uv", "tools"):
        return f"uv tool install --force {what}"
    if find_spec("pip") is None:
        return f"uv pip install --python {shlex.quote(sys.executable)} {what}"
    return f"{shlex.quote(sys.executable)} -m pip install {what}"


def requirement(extra: str, origin: str | None) -> str:
    """The package with this extra, for the installer.

    `origin`: where the toolkit was installed from; None for a package index.
    """
    return f"{NAME}[{extra}] @ {origin}" if origin else f"{NAME}[{extra}]"


def _origin() -> str | None:
    try:
        told = distribution(NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    if not told:
        return None
    values = json.loads(told)
    system = values.get("vcs_info", {}).get("vcs")
    return f"{system}+{values['url']}" if system else str(values["url"])
