import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from producer.protocol import MAX_REQUEST_BYTES, ProtocolError, ResumeAnswer, ResumeRequest

OFFSETS = st.one_of(st.integers(0, 10**19 - 1), st.sampled_from(["earliest", "latest"]))
LOG_IDS = st.one_of(st.none(), st.text("0123456789abcdef", min_size=1, max_size=64))


@given(st.binary(max_size=2 * MAX_REQUEST_BYTES))
def test_any_bytes_are_a_request_or_a_protocol_error(line: bytes) -> None:
    try:
        request = ResumeRequest.decode(line)
    except ProtocolError:
        return
    assert ResumeRequest.decode(request.encode()) == request


@given(st.builds(ResumeRequest, LOG_IDS, OFFSETS, st.booleans()))
def test_requests_survive_the_wire(request_: ResumeRequest) -> None:
    line = request_.encode()
    assert len(line) <= MAX_REQUEST_BYTES
    assert ResumeRequest.decode(line) == request_


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=9),
        st.sampled_from(["ok", "L1"]),
    ),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
ANSWERS = st.fixed_dictionaries(
    {"status": st.sampled_from(["ok", "gap", "new-log", "error"]) | VALUES},
    optional=dict.fromkeys(("log_id", "offset", "lost_bytes", "reason", "code", "later"), VALUES),
)


@given(st.one_of(st.binary(max_size=300), st.builds(lambda answer: json.dumps(answer).encode(), ANSWERS)))
@example(b"[" * 1_000)
@example(b'{"status":"ok","log_id":"a","offset":1e400,"lost_bytes":0}')
@example(b'{"status":"error","reason":"\\ud800"}')
@example(b'{"status":"ok","log_id":"a b","offset":0,"lost_bytes":0}')
def test_any_bytes_are_an_answer_or_a_protocol_error(line: bytes) -> None:
    try:
        answer = ResumeAnswer.decode(line)
    except ProtocolError:
        return
    answer.reason.encode(), answer.code.encode()  # every terminal takes them
    if answer.status != "error":
        request = ResumeRequest(answer.log_id, answer.offset)
        assert ResumeRequest.decode(request.encode()) == request


@pytest.mark.parametrize("follows", [True, False])
def test_an_answer_says_whether_its_log_follows_the_one_asked_for(follows: bool) -> None:
    answer = ResumeAnswer("new-log", "a1", 7, 2, follows=follows)
    assert ResumeAnswer.decode(answer.encode()) == answer
    assert (b"follows" in answer.encode()) is follows


def test_members_of_a_later_version_are_left_out() -> None:
    line = b'{"status":"gap","log_id":"a1","offset":7,"lost_bytes":2,"epoch":{"since":3}}'
    assert ResumeAnswer.decode(line) == ResumeAnswer("gap", "a1", 7, 2)
