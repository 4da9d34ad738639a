"""Decides where a resuming client continues. Pure."""

from __future__ import annotations

from producer.protocol import ResumeAnswer, ResumeRequest


def answer_to(request: ResumeRequest, log_id: str, start: int, end: int) -> ResumeAnswer:
    """The answer of a server whose log `log_id` keeps the bytes `start`..`end`."""
    if request.log_id not in (None, log_id):
        reason = f"this server's log is {log_id}, not {request.log_id}"
        return _elsewhere(request, reason, ResumeAnswer("new-log", log_id, _word(request, start, end)))
    if isinstance(request.offset, str):
        return ResumeAnswer("ok", log_id, _word(request, start, end))
    if request.offset > end:
        reason = f"offset {request.offset} lies ahead of the log's end {end}"
        return _elsewhere(request, reason, ResumeAnswer("new-log", log_id, start))
    if request.offset < start:
        lost = start - request.offset
        reason = f"offset {request.offset} is no longer kept, the log starts at {start}"
        return _elsewhere(request, reason, ResumeAnswer("gap", log_id, start, lost))
    return ResumeAnswer("ok", log_id, request.offset)


def _word(request: ResumeRequest, start: int, end: int) -> int:
    return end if request.offset == "latest" else start


def _elsewhere(request: ResumeRequest, reason: str, answer: ResumeAnswer) -> ResumeAnswer:
    return ResumeAnswer("error", reason=reason) if request.strict else answer
