"""The real application on a real socket, without Kafka, Flink and producer."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

import httpx
import pytest
import uvicorn
from running import wait_until

from console.hub import Hub
from console.settings import Settings
from console.web.app import build_app
from console.web.server import configure
from kafka_setup.connection.settings import KafkaConnection, Secret

# Only http is used, and to load the authorities of the world takes longer than a test.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
NOWHERE = KafkaConnection("127.0.0.1:1", username="observer", password=Secret("x"))


@pytest.fixture(scope="session")
def _servers() -> Iterator[Callable[[Settings], str]]:
    """Settings → the address of a console with these settings; the session has one for each."""
    addresses: dict[Settings, str] = {}
    with ExitStack() as opened:

        def address(settings: Settings) -> str:
            if settings not in addresses:
                addresses[settings] = opened.enter_context(_serving(settings))
            return addresses[settings]

        yield address


@contextmanager
def _serving(settings: Settings) -> Iterator[str]:
    """The hub does not run, so nothing is asked."""
    server = uvicorn.Server(configure(build_app(Hub(settings), []), lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=server.run, args=([listening],))
        thread.start()
        wait_until(lambda: server.started, "the console serves")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def open_console(_servers: Callable[[Settings], str]) -> Iterator[Callable[..., httpx.Client]]:
    """Settings → a client of a console that has them."""
    with ExitStack() as opened:

        def client(**settings: object) -> httpx.Client:
            known = Settings(NOWHERE, flink_url=None, producer_url="http://127.0.0.1:1", **settings)
            return opened.enter_context(httpx.Client(base_url=_servers(known), timeout=60, verify=NO_TLS))

        yield client
