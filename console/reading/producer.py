"""The producer's HTTP API: its current state, and its control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from console.reading.http_json import RefusedError, ask
from console.reading.poller import AwayError


@dataclass(frozen=True)
class Producer:
    """Rates are in events per second; `lag` is that of the slowest client, in bytes of the log.

    `rate_asked` None: as fast as possible. `over`: all events are made. `problem`: why nothing can be
    appended.
    """

    running: bool
    over: bool
    problem: str | None
    rate_asked: float | None
    rate: float | None
    events: int
    clients: int
    lag: int
    log_id: str
    start_offset: int
    end_offset: int
    scenarios: tuple[str, ...]


class ProducerApi:
    """Its `token` is sent only to the producer."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url, self._token = url.rstrip("/"), token

    def status(self) -> Producer:
        """Raises AwayError."""
        try:
            return _producer(ask(f"{self._url}/status", token=self._token))
        except AwayError as error:
            raise AwayError(f"{error} (a producer has this API only with --http-port)") from error
        except RefusedError as error:
            raise AwayError(f"{self._url}/status: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AwayError(f"{self._url}/status does not answer as win-event-producer does") from error

    def start(self) -> None:
        """Start generation. This method and the next three raise AwayError or RefusedError."""
        self._tell("/start", "POST")

    def stop(self) -> None:
        self._tell("/stop", "POST")

    def set_rate(self, rate: float | Literal["max"]) -> None:
        self._tell("/rate", "PUT", {"rate": rate})

    def scenario(self, name: str) -> None:
        self._tell(f"/scenarios/{quote(name, safe='')}", "POST")

    def _tell(self, path: str, method: str, body: Any = None) -> None:
        ask(self._url + path, method, body, self._token)


def _producer(status: dict[str, Any]) -> Producer:
    clients = status.get("clients") or []
    return Producer(
        running=bool(status["running"]),
        over=bool(status.get("over")),
        problem=status.get("problem"),
        rate_asked=status.get("rate_asked"),
        rate=status.get("rate_achieved"),
        events=int(status["events"]),
        clients=len(clients),
        lag=max((int(client["lag"]) for client in clients), default=0),
        log_id=str(status.get("log_id", "")),
        start_offset=int(status.get("start_offset", 0)),
        end_offset=int(status.get("end_offset", 0)),
        scenarios=tuple(str(name) for name in status.get("scenarios", ())),
    )
