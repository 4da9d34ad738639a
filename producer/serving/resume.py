"""Decides where a resuming client continues. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from producer.log.recovery import EarlierLog
from producer.protocol import ResumeAnswer, ResumeRequest


def answer_to(
    request: ResumeRequest, log_id: str, start: int, end: int, earlier: Sequence[EarlierLog] = ()
) -> ResumeAnswer:
    """The answer of a server whose log `log_id` keeps the bytes `start`..`end`, after its `earlier` ids."""
    if request.log_id not in (None, log_id):
        reason = f"this server's log is {log_id}, not {request.log_id}"
        return _elsewhere(request, reason, _of_another_log(request, log_id, start, end, earlier))
    if isinstance(request.offset, str):
        return ResumeAnswer("ok", log_id, _word(request, start, end))
    if request.offset > end:
        reason = f"offset {request.offset} is after the log's end {end}"
        return _elsewhere(request, reason, ResumeAnswer("new-log", log_id, start))
    if request.offset < start:
        lost = start - request.offset
        reason = f"offset {request.offset} is no longer kept, the log starts at {start}"
        return _elsewhere(request, reason, ResumeAnswer("gap", log_id, start, lost))
    return ResumeAnswer("ok", log_id, request.offset)


def _of_another_log(
    request: ResumeRequest, log_id: str, start: int, end: int, earlier: Sequence[EarlierLog]
) -> ResumeAnswer:
    """An earlier id of this log has the same bytes up to where it was cut back.

    The client continues there.
    """
    names = [each.log_id for each in earlier]
    if isinstance(request.offset, str) or request.log_id not in names:
        return ResumeAnswer("new-log", log_id, _word(request, start, end))
    common, lost = request.offset, 0
    for cut in earlier[names.index(request.log_id) :]:
        lost += max(cut.reached - max(common, cut.end), 0)
        common = min(common, cut.end)
    lost += max(start - common, 0)
    return ResumeAnswer("new-log", log_id, max(common, start), lost, follows=True)


def _word(request: ResumeRequest, start: int, end: int) -> int:
    return end if request.offset == "latest" else start


def _elsewhere(request: ResumeRequest, reason: str, answer: ResumeAnswer) -> ResumeAnswer:
    if not request.strict:
        return answer
    return ResumeAnswer("error", reason=reason, code=answer.status)
