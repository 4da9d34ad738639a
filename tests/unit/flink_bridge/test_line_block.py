"""LineBlock.java collects single lines in one array."""

from __future__ import annotations

from typing import Any

import pytest
from plain_jvm import Compile

pytestmark = pytest.mark.programs

SIZE = 16


@pytest.fixture
def block(gateway: Any, compile_java: Compile) -> Any:
    arguments = gateway.new_array(gateway.jvm.java.lang.Object, 1)
    arguments[0] = SIZE
    return compile_java("LineBlock").getConstructors()[0].newInstance(arguments)


def test_lines_stand_behind_each_other(block: Any) -> None:
    assert block.isEmpty()
    block.add(b"one")
    block.add("zwölf".encode())
    assert not block.isEmpty()
    assert block.take() == "one\nzwölf\n".encode()
    assert block.isEmpty()
    block.add(b"")
    assert block.take() == b"\n"


def test_a_line_break_in_a_record_does_not_make_two_lines(block: Any) -> None:
    block.add(b"before")
    block.add(b"\n{\n}\n")
    assert block.take() == b"before\n { } \n"


def test_room_ends_with_the_size(block: Any) -> None:
    block.add(b"x" * 7)
    assert block.hasRoomFor(b"y" * 7)
    assert not block.hasRoomFor(b"y" * 8)


def test_an_empty_block_takes_a_line_of_any_length(block: Any) -> None:
    line = b"z" * (3 * SIZE)
    assert block.hasRoomFor(line)
    block.add(line)
    assert not block.hasRoomFor(b"")
    assert block.take() == line + b"\n"
