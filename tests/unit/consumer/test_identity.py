import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.identity import identify_head, identify_parsed

text = st.text(max_size=12)
values = st.one_of(text, st.integers(-5, 2**70), st.booleans(), st.none(), st.floats(allow_nan=False))
ids = st.one_of(st.integers(-5, 2**63 + 5), values)
HEAD = ("timestamp", "level", "source", "event_id", "event_type", "record_id", "computer")


@st.composite
def flat_lines(draw):
    event = {key: draw(text) for key in HEAD} | {"event_id": draw(st.integers(0, 2**16))}
    event["record_id"] = draw(ids)
    for key in draw(st.lists(st.sampled_from(HEAD), max_size=2)):
        event[key] = draw(values)
    event |= {"data": draw(st.dictionaries(text, text, max_size=3)), "message": draw(text)}
    try:
        return orjson.dumps(event)
    except (TypeError, ValueError):  # more than 64 bits, lone surrogates: no JSON that orjson writes
        return b"{}"


@given(flat_lines())
def test_the_short_way_agrees_with_parsing(line):
    assert identify_head(line) == identify_parsed(line)


@given(st.binary(max_size=80))
def test_bytes_that_are_no_event_have_no_identity(line):
    assert identify_head(line) is None
    assert identify_parsed(line) is None


EVENTS = {
    "flat": {"timestamp": "T", "source": "Security", "record_id": 7, "computer": "WS-1"},
    "winlogbeat": {
        "@timestamp": "T",
        "winlog": {"channel": "Security", "record_id": 7, "computer_name": "WS-1"},
    },
    "nxlog": {"EventTime": "T", "Hostname": "WS-1", "Channel": "Security", "RecordNumber": 7},
    "winevtlog": {"TimeCreated": "T", "Computer": "WS-1", "Channel": "Security", "EventRecordID": 7},
}


@pytest.mark.parametrize("shape", EVENTS)
def test_every_shape_has_an_identity(shape):
    assert identify_head(orjson.dumps(EVENTS[shape])) == (b"WS-1", b"Security", 7, b"T")


@pytest.mark.parametrize("record_id", [0, -1, True, 1.5, "x", "²", None, 2**63])
def test_what_is_no_record_id(record_id):
    assert identify_parsed(orjson.dumps(EVENTS["flat"] | {"record_id": record_id})) is None
