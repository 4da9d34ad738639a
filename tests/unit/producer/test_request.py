from hypothesis import given
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


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_a_protocol_error(line: bytes) -> None:
    try:
        ResumeAnswer.decode(line)
    except ProtocolError:
        return
