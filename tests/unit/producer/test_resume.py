import pytest

from producer.protocol import ResumeAnswer, ResumeRequest
from producer.serving.resume import answer_to

LOG, START, END = "abc", 100, 900


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ResumeRequest("abc", 500), ResumeAnswer("ok", LOG, 500)),
        (ResumeRequest(None, 500), ResumeAnswer("ok", LOG, 500)),
        (ResumeRequest("abc", START), ResumeAnswer("ok", LOG, START)),
        (ResumeRequest("abc", END), ResumeAnswer("ok", LOG, END)),
        (ResumeRequest(None, "earliest"), ResumeAnswer("ok", LOG, START)),
        (ResumeRequest(None, "latest"), ResumeAnswer("ok", LOG, END)),
        (ResumeRequest("abc", 40), ResumeAnswer("gap", LOG, START, 60)),
        (ResumeRequest("abc", 901), ResumeAnswer("new-log", LOG, START)),
        (ResumeRequest("old", 500), ResumeAnswer("new-log", LOG, START)),
        (ResumeRequest("old", "latest"), ResumeAnswer("new-log", LOG, END)),
        (ResumeRequest("abc", 500, strict=True), ResumeAnswer("ok", LOG, 500)),
    ],
)
def test_answers(request_: ResumeRequest, expected: ResumeAnswer) -> None:
    assert answer_to(request_, LOG, START, END) == expected


@pytest.mark.parametrize(
    "request_",
    [ResumeRequest("abc", 40, True), ResumeRequest("abc", 901, True), ResumeRequest("old", 500, True)],
)
def test_strict_refuses_what_cannot_be_met_and_says_why(request_: ResumeRequest) -> None:
    answer = answer_to(request_, LOG, START, END)
    assert answer.status == "error"
    assert str(request_.offset) in answer.reason or "old" in answer.reason
