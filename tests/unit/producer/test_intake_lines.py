"""The intake accepts the same lines as every parser here, and recovery reads all of them."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conformance.cases import LINES, LineCase
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.events.line_rule import MAX_LINE, REASONS, parse_object
from producer.log.lines import as_logged
from producer.log.log_directory import LogDirectory
from producer.log.recovery import events_of


@pytest.mark.parametrize("case", LINES, ids=[case.name for case in LINES])
def test_every_example(case: LineCase) -> None:
    line, reason = as_logged(case.line)
    if len(case.line) == MAX_LINE:  # its LF has to fit, too
        assert reason == "too-long"
        return
    assert bool(line) == case.is_object
    assert reason in (() if case.is_object else REASONS) or (case.is_object and not reason)
    if line:
        assert line.isascii()
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert parse_object(line[:-1]) is not None


def test_escapes_may_make_a_line_too_long() -> None:
    assert as_logged(b'{"a":"' + "é".encode() * 20_000 + b'"}') == (b"", "too-long")


_TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_ODD = st.sampled_from(
    [b"\r", b"\x00", b"\x0c", b"\xff", b"\x1a", b"\xe2\x80\xa8", b"\xc2\x85", b"1e999", b"\\ud800"]
)


@st.composite
def _lines(draw: st.DrawFn) -> bytes:
    event = draw(st.dictionaries(_TEXTS, _VALUES, max_size=4))
    text = json.dumps(event, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(_ODD) + text[at:]
    return text.replace(b"\n", b" ")


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(_lines(), min_size=1, max_size=8))
def test_what_the_intake_takes_recovery_reads(posted: list[bytes]) -> None:
    taken = [line for line in (as_logged(each)[0] for each in posted) if line]
    with TemporaryDirectory() as folder:
        directory = LogDirectory(Path(folder), 1 << 20, "never")
        directory.open("flat")
        directory.write(b"".join(taken))
        directory.close()
        directory = LogDirectory(Path(folder), 1 << 20, "never")
        found = directory.open("flat")
        directory.close()
    assert not found.remarks
    assert [event.line + b"\n" for event in events_of(found.segments[-1], "flat")] == taken
