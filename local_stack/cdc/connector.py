"""Debezium's connector of the inventory, by Kafka Connect's REST API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from local_stack import processes
from local_stack.cdc import connect
from local_stack.layout import DEPLOY, Stack

_CONNECTOR = "/connectors/inventory"
_CONFIG = DEPLOY / "connect" / "inventory.json"
_SECONDS = 10.0
_OK = 200
_BUSY = 409  # a rebalance is going on, which may also let a request wait for long: ask again
_UNKNOWN = 404


@dataclass(frozen=True)
class State:
    """`task`: of the one task; "" when there is none. `trace`: the first line of why it failed."""

    connector: str
    task: str
    trace: str = ""

    @property
    def running(self) -> bool:
        return self.connector == self.task == "RUNNING"


def register(stack: Stack) -> None:
    """Make the connector, or make it as its file says. Raises StartError."""
    processes.wait_for(
        lambda: _ask(stack, "GET", "/health")[0] == _OK, 120.0, "Kafka Connect is not ready", _log(stack)
    )
    config = json.loads(connect.with_folders_of(stack, _CONFIG.read_text(encoding="utf-8")))
    if _ask(stack, "GET", f"{_CONNECTOR}/config")[1] != {
        **config,
        "name": "inventory",
    }:  # it would restart it
        _ask_until_taken(stack, "PUT", f"{_CONNECTOR}/config", config)


def wait_until_running(stack: Stack, seconds: float = 120.0) -> None:
    """Raises StartError when it fails or takes too long."""

    def runs() -> bool:
        found = state(stack)
        if found is not None and "FAILED" in (found.connector, found.task):
            raise processes.StartError(f"the connector failed: {found.trace}", _log(stack))
        return found is not None and found.running

    processes.wait_for(runs, seconds, "the connector of the inventory does not run", _log(stack))


def state(stack: Stack) -> State | None:
    """None when there is no connector. Raises StartError when Connect does not answer."""
    status, found = _ask(stack, "GET", f"{_CONNECTOR}/status")
    if status in (_UNKNOWN, _BUSY):
        return None
    task = found["tasks"][0] if found["tasks"] else {"state": ""}
    trace = (task.get("trace") or found["connector"].get("trace") or "").partition("\n")[0]
    return State(found["connector"]["state"], task["state"], trace)


def forget_offsets(stack: Stack) -> None:
    """Stop the connector and forget how far it has read; it stays stopped. Raises StartError."""
    _ask_until_taken(stack, "PUT", f"{_CONNECTOR}/stop")
    processes.wait_for(
        lambda: state(stack) == State("STOPPED", ""), 60.0, "the connector does not stop", _log(stack)
    )
    _ask_until_taken(stack, "DELETE", f"{_CONNECTOR}/offsets")


def resume(stack: Stack) -> None:
    """Let a stopped connector begin again; return when it runs. Raises StartError."""
    _ask_until_taken(stack, "PUT", f"{_CONNECTOR}/resume")
    wait_until_running(stack)


def _ask_until_taken(stack: Stack, method: str, path: str, body: Any = None) -> None:
    def taken() -> bool:
        status, answer = _ask(stack, method, path, body)
        if status == _BUSY or status >= 500:
            return False
        if status >= 400:
            raise processes.StartError(f"Kafka Connect refuses {method} {path}: {answer.get('message')}")
        return True

    processes.wait_for(taken, 60.0, f"Kafka Connect does not take {method} {path}", _log(stack))


def _ask(stack: Stack, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The status and the answer; _BUSY when it takes too long. Raises StartError when nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(  # noqa: S310 - loopback
        stack.connect_url + path, data, {"Content-Type": "application/json"}, method=method
    )
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read() or b"{}")
    except HTTPError as error:
        return error.code, _json(error.read())
    except (URLError, OSError) as error:
        if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
            return _BUSY, {}
        raise processes.StartError(f"Kafka Connect does not answer on {stack.connect_url}: {error}") from None


def _json(text: bytes) -> Any:
    """While it starts, Connect answers with pages for people."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _log(stack: Stack) -> Any:
    return stack.logs / f"{connect.NAME}.log"
