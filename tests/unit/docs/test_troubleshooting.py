"""Every message in TROUBLESHOOTING exists in the code."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "TROUBLESHOOTING.md").read_text(encoding="utf-8")
FOLDERS = (
    "analytics", "toolkit", "console", "consumer", "detection", "flink_bridge", "forward", "kafka_setup",
    "local_stack", "producer",
)  # fmt: skip
# Rows whose left column is not a message of ours.
NOT_OURS = {
    "flink: command not found",
    "unseen",
    "ProgramAbortException: java.lang.RuntimeException: Python process exits with code: 1",
}


def _messages() -> list[str]:
    """The messages of the left columns, without those that are marked as not ours."""
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    found = [match[1] for cell in cells if (match := re.match(r" `(.+)`", cell))]
    return [message for message in found if message not in NOT_OURS]


@cache
def _strings() -> str:
    """All strings of the product, one per line; values that are inserted later are `…`."""
    texts = []
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(re.sub(r"%[sd]", "…", node.value))
                elif isinstance(node, ast.JoinedStr):
                    texts.append(
                        "".join(
                            getattr(part, "value", "…") if isinstance(part, ast.Constant) else "…"
                            for part in node.values
                        )
                    )
    return "\n".join(text.replace("\n", " ") for text in texts)


def test_the_page_has_messages() -> None:
    assert len(_messages()) > 30


@pytest.mark.parametrize("message", _messages())
def test_a_message_stands_in_the_code(message: str) -> None:
    parts = [re.escape(part) for part in message.split("…") if part.strip(" :;.,()")]
    assert parts
    assert re.search("[^\n]*?".join(parts), _strings()), f"the code says {message!r} nowhere"
