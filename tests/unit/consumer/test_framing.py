from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from consumer.log_client.framing import LineAssembler

LIMIT = 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
lines = st.lists(st.binary(max_size=3 * LIMIT).map(lambda line: line.replace(b"\n", b".")), max_size=12)


def fed(assembler, stream, cuts):
    edges = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    chunks = [stream[a:b] for a, b in pairwise(edges)]
    return b"".join(assembler.feed(chunk) for chunk in chunks)


@given(lines, st.binary(max_size=2 * LIMIT), st.lists(st.integers(0, 10**6), max_size=20))
def test_however_a_stream_is_cut_its_whole_lines_come_out(whole, tail, cuts):
    tail = tail.replace(b"\n", b".")
    assembler = LineAssembler(LIMIT)
    stream = b"".join(line + b"\n" for line in whole) + tail
    assume(not stream.startswith(BYTE_ORDER_MARK))  # which is dropped, see below
    expected = [line for line in whole if line not in (b"", b"\r") and len(line) < LIMIT]
    assert fed(assembler, stream, cuts) == b"".join(line + b"\n" for line in expected)
    assert assembler.position == len(stream) - len(tail)
    assert assembler.has_rest == bool(tail)
    overlong = sum(len(line) >= LIMIT for line in whole)
    assert assembler.overlong == overlong + (len(tail) >= LIMIT)


def test_a_line_without_end_costs_no_memory():
    assembler = LineAssembler(LIMIT)
    for _ in range(1000):
        assert assembler.feed(b"x" * 1000) == b""
    assert assembler.feed(b"\nnext\n") == b"next\n"
    assert (assembler.overlong, assembler.position) == (1, 1_000_000 + 6)


@given(st.lists(st.integers(0, 10**6), max_size=4))
def test_a_byte_order_mark_at_the_begin_of_the_stream_is_left_out(cuts):
    assembler = LineAssembler(LIMIT)
    stream = b"\xef\xbb\xbffirst\n\xef\xbb\xbfsecond\n"
    assert fed(assembler, stream, cuts) == b"first\n\xef\xbb\xbfsecond\n"
    assert assembler.position == len(stream)
