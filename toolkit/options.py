"""The common part of the options of all tools: a type for numbers, and the variables in the environment."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import click

# Options that allow a tool to remove or overwrite something. A forgotten variable must not allow it.
_CONSENT = {"--yes", "--force", "--wipe", "--prune", "--reset-passwords"}
Command = TypeVar("Command", bound=click.Command)


class FiniteFloat(click.FloatRange):
    """click's FloatRange, without `nan`, which passes its comparisons, and without infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


def read_environment(command: Command, prefix: str) -> Command:
    """Let each option of the command, and of those below it, also come from PREFIX_NAME; --help shows it.

    NAME is the option's long name. An option that has a variable keeps it. Options that allow a tool to
    remove or overwrite something have none.
    """
    for option in command.params:
        if not isinstance(option, click.Option) or option.name in ("version", "help"):
            continue
        if is_consent(option):
            option.allow_from_autoenv = option.show_envvar = False
        else:
            name = max(option.opts, key=len).removeprefix("--").replace("-", "_").upper()
            option.envvar, option.show_envvar = option.envvar or f"{prefix}_{name}", True
    if isinstance(command, click.Group):
        for each in command.commands.values():
            read_environment(each, prefix)
    return command


def is_consent(option: click.Option) -> bool:
    """Whether the option allows a tool to remove or overwrite something."""
    return not _CONSENT.isdisjoint(option.opts)
