"""Debezium's connector of the inventory, by Kafka Connect's REST API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local_stack import processes
from local_stack.cdc import connect
from local_stack.cdc.rest import BUSY, CONNECTOR, ask, ask_until_taken, make_connector
from local_stack.layout import DEPLOY, Stack

_CONFIG = DEPLOY / "connect" / "inventory.json"
_UNKNOWN = 404


@dataclass(frozen=True)
class State:
    """The state of the connector.

    `task`: the state of its only task; "" if there is none. `trace`: the first line of its failure.
    """

    connector: str
    task: str
    trace: str = ""

    @property
    def running(self) -> bool:
        return self.connector == self.task == "RUNNING"


def register(stack: Stack) -> None:
    """Create the connector, or change it to match its file. Raises StartError."""
    text = connect.with_folders_of(stack, _CONFIG.read_text(encoding="utf-8"))
    make_connector(stack.connect_url, json.loads(text), _log(stack))


def wait_until_running(stack: Stack, seconds: float = 120.0) -> None:
    """Wait until the connector runs. Raises StartError if it fails or takes too long."""

    def runs() -> bool:
        found = state(stack)
        if found is not None and "FAILED" in (found.connector, found.task):
            raise processes.StartError(f"the connector failed: {found.trace}", _log(stack))
        return found is not None and found.running

    processes.wait_for(runs, seconds, "the connector of the inventory does not run", _log(stack))


def state(stack: Stack) -> State | None:
    """The state of the connector; None if there is none. Raises StartError if Connect does not answer."""
    status, found = ask(stack.connect_url, "GET", f"{CONNECTOR}/status")
    if status in (_UNKNOWN, BUSY):
        return None
    task = found["tasks"][0] if found["tasks"] else {"state": ""}
    trace = (task.get("trace") or found["connector"].get("trace") or "").partition("\n")[0]
    return State(found["connector"]["state"], task["state"], trace)


def forget_offsets(stack: Stack) -> None:
    """Stop the connector and delete its position; it stays stopped. Raises StartError."""
    ask_until_taken(stack.connect_url, "PUT", f"{CONNECTOR}/stop")
    processes.wait_for(
        lambda: state(stack) == State("STOPPED", ""), 60.0, "the connector does not stop", _log(stack)
    )
    ask_until_taken(stack.connect_url, "DELETE", f"{CONNECTOR}/offsets")


def resume(stack: Stack) -> None:
    """Start a stopped connector again; returns when it runs. Raises StartError."""
    ask_until_taken(stack.connect_url, "PUT", f"{CONNECTOR}/resume")
    wait_until_running(stack)


def _log(stack: Stack) -> Any:
    return stack.logs / f"{connect.NAME}.log"
