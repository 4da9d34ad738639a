"""Regular expressions with RE2: its time depends only on the text, not on the pattern. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2

from detection.matching.rule_fields import ABSENT

OPTIONS = re2.Options()
OPTIONS.log_errors = False  # RE2 would write to stderr in addition to our refusal

try:  # pySigma 2 checks patterns with a selectable engine; pySigma 1 with Python's re
    from sigma.policy import SigmaPolicy
    from sigma.policy.regex_engine import RE2RegexEngine

    class _Quiet(RE2RegexEngine):
        def compile(self, pattern: str, flags: int = 0) -> Any:
            wanted = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"))
            letters = "".join(letter for flag, letter in wanted if flags & flag)
            try:
                return re2.compile(f"(?{letters}){pattern}" if letters else pattern, OPTIONS)
            except re2.error as error:
                raise re2.error(words(error)) from None

        def __deepcopy__(self, _: Any) -> _Quiet:
            return self  # filters copy the conditions that they add; a module cannot be copied

    POLICY: dict[str, Any] = {"policy": SigmaPolicy(regex_engine=_Quiet())}
    """The arguments for pySigma's from_dict."""
except ImportError:
    POLICY = {}


def words(error: Exception) -> str:
    """RE2's error about a pattern, as text: RE2 gives bytes."""
    said = error.args[0]
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def searcher(pattern: str) -> Callable[[str], bool]:
    """The search function of a pattern. Raises re2.error."""
    search = re2.compile(pattern, OPTIONS).search

    def found(text: str) -> bool:
        return text != ABSENT and search(text) is not None

    return found
