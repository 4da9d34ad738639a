"""How `win-event-stack peek` shows the records that it has read."""

from __future__ import annotations

from rich.console import Console

from local_stack.health.peek import Peeked, newest_of_each_key
from local_stack.health.peek_view import as_table, for_screen


def _text(*records: Peeked) -> str:
    console = Console(width=500)
    with console.capture() as capture:
        console.print(as_table(records))
    return capture.get()


def test_rows_of_a_result_have_a_column_for_each_field() -> None:
    text = _text(
        Peeked(0, 1, 1_700_000_000_123, b'{"level":"Error"}', b'{"level":"Error","events":5,"x":null}')
    )
    head, _, row = text.splitlines()
    assert head.split() == ["time", "key", "level", "events", "x"]
    assert row.split() == ["2023-11-14", "22:13:20.123", "Error", "Error", "5", "-"]


def test_without_keys_only_the_rows_are_shown() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(as_table([Peeked(0, 1, 0, b"k", b'{"events":5}')], keys=False))
    assert capture.get().split()[::2] == ["events", "5"]


def test_a_line_that_is_nested_too_deep_stands_as_it_came() -> None:
    assert "[[[[" in _text(Peeked(0, 1, 0, b"WS-1", b"[" * 1_100 + b"]" * 1_100))


def test_what_is_no_flat_row_stands_as_it_came() -> None:
    values = (b'{"data":{"a":1}}', b"no json", b"\xff\x1b[2J")
    lines = _text(*(Peeked(0, n, 0, b"WS-1", value) for n, value in enumerate(values))).splitlines()[2:]
    assert [line.split("WS-1")[1].strip() for line in lines] == [
        '{"data":{"a":1}}',
        "no json",
        "\\xff\\x1b[2J",
    ]


def test_a_narrow_screen_cuts_the_longest_texts_and_never_the_time() -> None:
    event = b'{"data":{"a":1},"message":"' + b"x" * 500 + b'"}'
    records = [
        Peeked(0, n, 1_700_000_000_123, key, event)
        for n, key in enumerate((b"WS-001.corp.example", b"k" * 90))
    ]
    for width in (80, 100):
        console = Console(width=width)
        with console.capture() as capture:
            console.print(as_table(records))
        _, _, short, long = capture.get().splitlines()
        assert max(len(short), len(long)) <= width
        assert short.startswith("2023-11-14 22:13:20.123   ")
        assert long.startswith("2023-11-14 22:13:20.123   kkkkkkkk")
        assert short.endswith("…")
    assert "WS-001.corp.example   " in short


def _on_screen(value: bytes, width: int) -> list[str]:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(for_screen([Peeked(0, 0, 1_700_000_000_123, b"WS-001", value)], width))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_many_fields_are_below_each_other_where_a_table_cannot_be_read() -> None:
    event = b'{"level":"Error","record_id":7,"data":{"IpAddress":"203.0.113.77"},"message":"%s"}' % (
        b"x" * 90
    )
    assert _on_screen(event, 80)[:4] == [
        "2023-11-14 22:13:20.123  WS-001",
        "  level      Error",
        "  record_id  7",
        '  data       {"IpAddress": "203.0.113.77"}',
    ]
    assert max(map(len, _on_screen(event, 80))) <= 80
    assert _on_screen(event, 200)[0].startswith("time ")


def test_few_fields_are_a_table_at_80_characters() -> None:
    head, _, row = _on_screen(b'{"level":"Error","events":12345}', 80)
    assert head.split() == ["time", "key", "level", "events"]
    assert row.endswith("WS-001   Error   12345")


def test_the_newest_row_of_a_key_counts_and_what_is_gone_is_gone() -> None:
    first, gone, other = Peeked(0, 1, 5, b"a", b"1"), Peeked(0, 2, 4, b"a", None), Peeked(1, 0, 3, b"b", b"2")
    again = Peeked(1, 1, 2, b"b", b"3")
    assert newest_of_each_key([first, gone, other, again]) == [again]
