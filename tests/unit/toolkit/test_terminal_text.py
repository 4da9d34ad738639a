"""Foreign text cannot control a terminal."""

from __future__ import annotations

import pytest

from toolkit.terminal_text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("l'été à São\u00a0Paulo, 東京", "l'été à São\u00a0Paulo, 東京"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("tab\tline\r\n", "tab\\tline\\r\\n"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_a_terminal_would_execute_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    printable(text).encode()
