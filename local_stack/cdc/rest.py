"""Kafka Connect's REST API. `python -m local_stack.cdc.rest URL FILE` creates the inventory's connector."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request

from local_stack import processes
from toolkit.http import open_url

CONNECTOR = "/connectors/inventory"
BUSY = 409  # during a rebalance, which may also delay a request for long: try again
_SECONDS = 60.0
_OK = 200


def make_connector(url: str, config: dict[str, str], log: Path | None = None) -> None:
    """Wait for Connect; then create the connector, or change it to match `config`. Raises StartError."""
    processes.wait_for(lambda: ask(url, "GET", "/health")[0] == _OK, 120.0, "Kafka Connect is not ready", log)
    # Only if something differs, because a change restarts the connector.
    if ask(url, "GET", f"{CONNECTOR}/config")[1] != {**config, "name": "inventory"}:
        ask_until_taken(url, "PUT", f"{CONNECTOR}/config", config)


def ask_until_taken(url: str, method: str, path: str, body: Any = None) -> None:
    def taken() -> bool:
        status, answer = ask(url, method, path, body)
        if status == BUSY or status >= 500:
            return False
        if status >= 400:
            raise processes.StartError(f"Kafka Connect refuses {method} {path}: {answer.get('message')}")
        return True

    processes.wait_for(taken, 180.0, f"Kafka Connect does not take {method} {path}")


def ask(url: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The status and the answer; BUSY if it takes too long. Raises StartError if nothing answers."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(  # noqa: S310 - the stack or the container beside it
        url + path, data, {"Content-Type": "application/json"}, method=method
    )
    try:
        with open_url(request, _SECONDS) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except HTTPError as error:
        return error.code, _json(error.read())
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return BUSY, {}
        raise processes.StartError(f"Kafka Connect does not answer on {url}: {reason}") from None


def _json(text: bytes) -> Any:
    """The JSON of an answer; while it starts, Connect answers with HTML pages."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


if __name__ == "__main__":
    try:
        make_connector(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
    except processes.StartError as error:
        sys.exit(f"error: {error}")
