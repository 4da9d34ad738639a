"""From a request's body to its lines."""

from __future__ import annotations

import gzip
import json

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.http.bodies import BodyError, Gunzip, json_events
from producer.log.lines import LineSplitter
from producer.protocol import MAX_LINE_BYTES

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(_JSON, max_size=5), st.sampled_from([None, 0, 2]), st.booleans())
def test_the_events_of_an_array_are_found_whatever_they_are(events, indent, wrapped: bool) -> None:
    """Also NaN and Infinity, which json writes: the check of each event refuses them later."""
    text = json.dumps({"events": events} if wrapped else events, indent=indent)
    found = json_events(text.encode())
    assert all(b"\n" not in each for each in found)
    assert [repr(json.loads(each)) for each in found] == [repr(event) for event in events]


@pytest.mark.parametrize("wrapped", [False, True])
def test_one_event_with_too_many_levels_does_not_cost_the_others(wrapped: bool) -> None:
    deep = b'{"a":' * 5_000 + b'"]}"' + b"}" * 5_000
    array = b'[{"b":1}, ' + deep + b',{"c":"\\"]"}]'
    body = b'{"events":' + array + b"}" if wrapped else array
    assert json_events(body) == [b'{"b":1}', deep, b'{"c":"\\"]"}']


@pytest.mark.parametrize(
    "body",
    [
        b"[1,]",
        b"[,1]",
        b"[1",
        b"[1]]",
        b"[1][",
        b"[NaN,]",
        b"[NaN NaN]",
        b"[NaN],1",
        b"[\xff NaN]",
        b"[" * 99999,
    ],
)
def test_what_is_no_array_is_refused(body: bytes) -> None:
    with pytest.raises(BodyError, match="not JSON"):
        json_events(body)


@pytest.mark.parametrize(
    "body", [b'{"events":[1],"x":2}', b'{"events":1}', b'{"events":[1]}}', b'{"events":[1]', b"\xff"]
)
def test_everything_else_is_one_event_or_none(body: bytes) -> None:
    assert json_events(body) == [body]


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.sampled_from([b"{}", b"\n", b"\r\n", b" ", b"abc", b"\n\n"]), max_size=30), st.data())
def test_lines_do_not_depend_on_the_pieces(parts: list[bytes], data: st.DataObject) -> None:
    text = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    splitter = LineSplitter()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    found = [line for piece in pieces for line in splitter.feed(piece)] + splitter.finish()
    assert found == [line.strip() for line in text.split(b"\n") if line.strip()]


def test_of_an_endless_line_only_a_line_is_held() -> None:
    splitter = LineSplitter()
    for _ in range(100):
        assert splitter.feed(b"x" * 100_000) == []
        assert len(splitter._rest) <= MAX_LINE_BYTES + 1
    long, good = splitter.feed(b"x\n{}\n")
    assert len(long) > MAX_LINE_BYTES
    assert good == b"{}"


def test_gzip_in_pieces_with_members_and_a_limit() -> None:
    packed = gzip.compress(b"a" * 1000) + gzip.compress(b"b" * 1000)
    gunzip = Gunzip(2000)
    assert (
        b"".join(part for byte in packed for part in gunzip.feed(bytes([byte]))) == b"a" * 1000 + b"b" * 1000
    )
    gunzip.finish()
    with pytest.raises(BodyError, match="more than 1999") as refused:
        list(Gunzip(1999).feed(packed))
    assert refused.value.status == 413
    cut = Gunzip(9999)
    list(cut.feed(packed[:-9]))
    with pytest.raises(BodyError, match="too early"):
        cut.finish()
    with pytest.raises(BodyError, match="not gzip"):
        list(Gunzip(9).feed(b"plain text"))


def test_zeros_behind_a_member_of_gzip_are_padding() -> None:
    padding = bytes(700)
    packed = gzip.compress(b"a") + padding + gzip.compress(b"b") + padding
    for size in (1, len(packed)):
        pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
        gunzip = Gunzip(9)
        assert b"".join(part for piece in pieces for part in gunzip.feed(piece)) == gzip.decompress(packed)
        gunzip.finish()
    with pytest.raises(BodyError, match="not gzip"):
        list(Gunzip(9).feed(padding + packed))
    gunzip = Gunzip(9)
    with pytest.raises(BodyError, match="not gzip"):
        list(gunzip.feed(packed + b"no gzip at all"))


def test_a_bomb_is_stopped_before_it_is_unpacked() -> None:
    bomb, taken = gzip.compress(bytes(50_000_000)), 0
    parts = Gunzip(1_000_000).feed(bomb)
    while taken + 256 * 1024 <= 1_000_000:
        taken += len(next(parts))
    with pytest.raises(BodyError, match="more than 1000000 bytes"):
        next(parts)
