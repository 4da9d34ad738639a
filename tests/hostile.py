"""Lines that nobody should send: a corpus, lines that hypothesis generates, and both with damage."""

from __future__ import annotations

import json
import random

from conformance.cases import LINES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CORPUS = [
    b'{"computer":"\xff\xfe"}',
    b'{"computer":"a\x00b"}',
    b'{"computer":"a"} trailing',
    b'{"computer":"a"},',
    b'{"computer":"a"}{"computer":"b"}',
    b'{"computer":"a"},{"computer":"b"}',
    b'{"computer":"a"},"x":1',
    b'{"computer":{"nested":1}}',
    b'{"computer":null}',
    b'{"computer":5}',
    b'{"computer":""}',
    b'{"computer":"first","computer":"second"}',
    b'{"computer":"\\ud800"}',
    b'{"n":1e999999,"computer":"huge"}',
    b'{"n":' + b"9" * 5_000 + b',"computer":"digits"}',
    b'{"n":' + b"[" * 5_000 + b"]" * 5_000 + b',"computer":"deep"}',
    b"\xef\xbb\xbf" + b'{"computer":"bom"}',
    b'{"computer":"bare\rcr"}',
    b'{"computer":"caf\xc3\xa9"}',
    b'{"computer":NaN}',
    b"{'computer':'single'}",
    b'["computer"]',
    b'"computer"',
    b"\xef\xbf\xbd",
    b" ",
    b"\t",
    b"null",
    b"]}",
    b'"e":1}',
    b"@",
    b'{"computer":"at the limit","x":"' + b"y" * (65_536 - 34) + b'"}',
    b'{"computer":"past the limit","x":"' + b"y" * (65_536 - 35) + b'"}',
    b'{"computer":"' + b"x" * 1_000_000 + b'"}',
    b"z" * 1_200_000,
    b'{"computer":"cr lf"}\r',
]


FRAGMENTS = b' ,:"{}[]\\0eu\r\xff\xc3'


def imagined_lines(count: int) -> list[bytes]:
    """Lines that hypothesis generates: JSON of all kinds, broken in all ways."""
    lines: list[bytes] = []
    values = st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
    events = st.fixed_dictionaries({"computer": st.text(max_size=10)}, optional={"x": values, "é": values})
    documents = (events | values).map(
        lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    )
    damaged = st.tuples(documents, st.integers(0, 40), st.binary(max_size=4)).map(
        lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]
    )

    @settings(
        max_examples=count,
        database=None,
        suppress_health_check=list(HealthCheck),
        deadline=None,
        derandomize=True,
    )
    @given(documents | damaged | st.binary(max_size=60))
    def collect(line: bytes) -> None:
        lines.append(line.replace(b"\n", b" "))

    collect()
    return lines


def hostile_lines(count: int) -> list[bytes]:
    """`count` lines, always the same: the corpus, the rule's examples, generated lines, and damaged ones."""
    # What hypothesis generates takes most of the time; damage makes each of its lines many.
    imagined, dice = imagined_lines(min(3_000, max(400, count // 20))), random.Random(7)
    lines = CORPUS + [case.line for case in LINES] + imagined
    while len(lines) < count:
        line = bytearray(dice.choice(imagined))
        for _ in range(dice.randint(0, 2)):
            place = dice.randint(0, len(line))
            line[place : place + dice.randint(0, 2)] = dice.choices(FRAGMENTS, k=dice.randint(0, 2))
        lines.append(bytes(line))
    return lines
