"""GET /status, POST /start, /stop, /scenarios/{name}, PUT /rate: state and control of generation."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

from producer.components import Components
from producer.http.models import Client, Injected, Load, Rate, Status
from producer.http.problems import Refusal
from producer.serving.client import Client as Reader
from toolkit.problems import documented

_VERSION = version("win-event-bridge")
_WAITING_SCENARIOS = 100
_OVER = "all events are made: start the producer again, without --count or with --loop"


def control_routes(components: Components) -> APIRouter:
    api = APIRouter(tags=["control"])
    feeding, control = components.feeding, components.feeding.main.control

    @api.get("/status")
    async def status() -> Status:
        """Everything about the producer in one answer."""
        log, feeder = components.log, feeding.main
        return Status(
            version=_VERSION,
            **_load().model_dump(),
            rate_achieved=components.report.achieved,
            late=feeder.late,
            events=log.events,
            posted=components.intake.count,
            clients=[_client(components, reader) for reader in components.server.clients()],
            log_id=log.log_id,
            start_offset=log.start,
            end_offset=log.end,
            scenarios=feeding.scenarios,
            problem=components.problem or None,
        )

    @api.post("/start", responses=documented(409))
    async def start() -> Load:
        """Continue to generate events."""
        _still_making()
        for feeder in feeding.feeders:
            feeder.control.set_running(True)
        return _load()

    @api.post("/stop")
    async def stop() -> Load:
        """Pause.

        No events are generated until /start. Clients are served and posted events are accepted meanwhile.
        """
        for feeder in feeding.feeders:
            feeder.control.set_running(False)
        return _load()

    @api.put("/rate", responses=documented(409, 422))
    async def rate(wanted: Rate) -> Load:
        """Change the rate in events per second: that of the file, if there is one."""
        _still_making()
        control.set_rate(None if wanted.rate == "max" else wanted.rate)
        return _load()

    @api.post("/scenarios/{name}", status_code=202, responses=documented(404, 409, 429))
    async def scenario(name: str) -> Injected:
        """Let this attack begin with the next events."""
        if name not in feeding.scenarios:
            raise Refusal(404, f"no scenario {name!r}; known: {', '.join(feeding.scenarios) or 'none'}")
        generating = (feeding.beside or feeding.main).control
        if generating.is_over:
            raise Refusal(409, _OVER)
        if generating.waiting_scenarios >= _WAITING_SCENARIOS:
            raise Refusal(429, f"{_WAITING_SCENARIOS} scenarios wait for generation to go on: POST /start")
        generating.ask_for(name)
        return Injected(scenario=name)

    def _load() -> Load:
        is_over = control.is_over
        return Load(running=control.is_running and not is_over, over=is_over, rate_asked=control.rate)

    def _still_making() -> None:
        if control.is_over:
            raise Refusal(409, _OVER)

    return api


def _client(components: Components, reader: Reader) -> Client:
    log = components.log
    return Client(
        address=reader.address,
        kind="resuming" if reader.is_resuming else "plain",
        offset=reader.offset,
        lag=max(log.end - reader.offset, 0),
        lag_events=max(log.events - log.events_before(reader.offset), 0),
        sent_bytes=reader.sent_bytes,
    )
