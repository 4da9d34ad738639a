"""moto's server, which implements Amazon's S3 and Kinesis on this machine, and clients of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import boto3
from running import wait_until

LOGIN = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def moto_server(port: int) -> Iterator[str]:
    """Starts the server and waits until it answers; gives its endpoint."""
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: server.poll() is None and _answers(endpoint), "moto answers")
        yield endpoint
    finally:
        server.terminate()
        server.wait(60)


@contextmanager
def moto_thread() -> Iterator[str]:
    """The endpoint of an empty server in this process: all servers of one process share their data."""
    from moto.server import ThreadedMotoServer  # slow to import, and most who import this file want no server

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        with urlopen(Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=60):
            yield endpoint
    finally:
        server.stop()


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=LOGIN["AWS_REGION"],
        aws_access_key_id=LOGIN["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=LOGIN["AWS_SECRET_ACCESS_KEY"],
    )


def _answers(endpoint: str) -> bool:
    try:
        with urlopen(f"{endpoint}/moto-api/", timeout=5):  # it is asked again until it answers
            return True
    except OSError:
        return False
