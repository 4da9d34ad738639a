"""GET /status, POST /start, /stop, /scenarios/{name}, PUT /rate: look at generation and steer it."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

from producer.http.models import Client, Injected, Load, Rate, Status
from producer.http.problems import Refusal, documented
from producer.parts import Parts
from producer.serving.client import Client as Reader

_VERSION = version("win-event-bridge")
_WAITING_SCENARIOS = 100


def control_routes(parts: Parts) -> APIRouter:
    api = APIRouter(tags=["control"])
    control = parts.feeder.control

    @api.get("/status")
    async def status() -> Status:
        """Everything about the producer in one answer."""
        log, feeder = parts.log, parts.feeder
        return Status(
            version=_VERSION,
            **_load().model_dump(),
            rate_achieved=parts.report.achieved,
            late=feeder.late,
            events=log.events,
            posted=parts.intake.count,
            clients=[_client(parts, reader) for reader in parts.server.clients()],
            log_id=log.log_id,
            start_offset=log.start,
            end_offset=log.end,
            scenarios=parts.scenarios,
            problem=parts.problem or None,
        )

    @api.post("/start", responses=documented(409))
    async def start() -> Load:
        """Go on making events."""
        _still_making()
        control.set_running(True)
        return _load()

    @api.post("/stop")
    async def stop() -> Load:
        """Rest: no events are made until /start. Clients are served and posted events taken meanwhile."""
        control.set_running(False)
        return _load()

    @api.put("/rate", responses=documented(409, 422))
    async def rate(wanted: Rate) -> Load:
        """Make so many events a second from now on."""
        _still_making()
        control.set_rate(None if wanted.rate == "max" else wanted.rate)
        return _load()

    @api.post("/scenarios/{name}", status_code=202, responses=documented(404, 409, 429))
    async def scenario(name: str) -> Injected:
        """Let this attack begin with the next events."""
        _still_making()
        if name not in parts.scenarios:
            raise Refusal(404, f"no scenario {name!r}; known: {', '.join(parts.scenarios) or 'none'}")
        if control.waiting_scenarios >= _WAITING_SCENARIOS:
            raise Refusal(429, f"{_WAITING_SCENARIOS} scenarios wait for generation to go on: POST /start")
        control.ask_for(name)
        return Injected(scenario=name)

    def _load() -> Load:
        is_over = control.is_over
        return Load(running=control.is_running and not is_over, over=is_over, rate_asked=control.rate)

    def _still_making() -> None:
        if control.is_over:
            raise Refusal(409, "all events are made: start the producer again, without --count")

    return api


def _client(parts: Parts, reader: Reader) -> Client:
    log = parts.log
    return Client(
        address=reader.address,
        kind="resuming" if reader.is_resuming else "plain",
        offset=reader.offset,
        lag=max(log.end - reader.offset, 0),
        lag_events=max(log.events - log.events_before(reader.offset), 0),
        sent_bytes=reader.sent_bytes,
    )
