import orjson
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.events.identity import identify_any, identify_damaged, identify_parsed

text = st.text(max_size=12)
values = st.one_of(text, st.integers(-5, 2**70), st.booleans(), st.none(), st.floats(allow_nan=False))
ids = st.one_of(st.integers(-5, 2**63 + 5), values)
HEAD = ("timestamp", "level", "source", "event_id", "event_type", "record_id", "computer")


TOKENS = (*'"\\{}[]:,0.e-u \n', "\\u", "\\ud800", "true", "NaN", "1e9", '"record_id":1,')


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


@st.composite
def damaged_lines(draw):
    """A line in which a few bytes are changed, left out or put in."""
    line = bytearray(draw(flat_lines()) or b"{}")
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(line)))
        line[place : place + draw(st.integers(0, 1))] = draw(
            st.binary(max_size=1) | st.sampled_from(TOKENS).map(str.encode)
        )
    return bytes(line)


@settings(max_examples=examples(1000))
@given(damaged_lines())
def test_the_short_way_agrees_with_parsing_everything(line):
    assert identify_parsed(line) == identify_any(line)


@given(flat_lines())
def test_what_is_not_damaged_has_the_same_identity_for_both(line):
    assert identify_damaged(line) == identify_parsed(line)


def test_damage_behind_the_first_six_fields_leaves_the_name():
    line = orjson.dumps(dict.fromkeys(HEAD, "1") | {"event_id": 1, "record_id": 7, "message": "text"})
    assert identify_parsed(line[:-5]) is None
    assert identify_damaged(line[:-5]) == (b"1", b"1", 7, b"1")


@given(st.binary(max_size=80))
def test_bytes_that_are_no_event_have_no_identity(line):
    assert identify_damaged(line) is None
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
    assert identify_damaged(orjson.dumps(EVENTS[shape])) == (b"WS-1", b"Security", 7, b"T")


@pytest.mark.parametrize("record_id", [0, -1, True, 1.5, "x", "²", None, 2**63])
def test_what_is_no_record_id(record_id):
    assert identify_parsed(orjson.dumps(EVENTS["flat"] | {"record_id": record_id})) is None
