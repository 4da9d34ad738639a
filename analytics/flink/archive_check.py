"""Tests the folder or bucket of an archive before the job is submitted, with Flink's own file systems."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway

from analytics.settings import ArchiveSettings
from flink_bridge.flink_cluster import runs_here
from flink_bridge.kafka.preflight import PreflightError

WAIT = 60.0  # seconds for the connection to an S3 server
_PROBE = "_win-event-check"  # readers of folders skip names that begin with _


def check_archive(archive: ArchiveSettings) -> None:
    """Write a small file and remove it; not in folders of other machines. Raises PreflightError."""
    in_s3 = archive.path.startswith("s3://")
    if not in_s3 and not runs_here():
        return
    if in_s3:
        _check_endpoint()
    filesystems: Any = get_gateway().jvm.org.apache.flink.core.fs
    probe = filesystems.Path(f"{archive.path.rstrip('/')}/{_PROBE}")
    try:
        store = probe.getFileSystem()
        store.create(probe, filesystems.FileSystem.WriteMode.OVERWRITE).close()
        store.delete(probe, False)
    except Py4JJavaError as error:
        look_at = (
            "the bucket, AWS_ACCESS_KEY_ID and the permissions of the key"
            if in_s3
            else "the folder and its permissions"
        )
        raise PreflightError(_told(archive.path, error.java_exception, look_at)) from None


def _check_endpoint() -> None:
    """Connect once to the user's own S3 server, because the plugin would try for minutes."""
    configuration: Any = get_gateway().jvm.org.apache.flink.configuration
    endpoint = configuration.GlobalConfiguration.loadConfiguration().toMap().get("s3.endpoint")
    if not endpoint:
        return
    address = urlsplit(endpoint)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), WAIT).close()
    except OSError as error:
        raise PreflightError(
            f"S3 at {endpoint}: {error.strerror or error}; is the server there? (s3.endpoint of Flink, "
            "win-event-stack up --s3-endpoint). --no-check submits anyway"
        ) from None


def _told(path: str, exception: Any, look_at: str) -> str:
    while exception.getCause() is not None:
        exception = exception.getCause()
    name, message = (
        exception.getClass().getSimpleName(),
        str(exception.getMessage()).partition(" (Service:")[0],
    )
    if name == "UnsupportedFileSystemSchemeException":
        return (
            f"{path}: Flink has no plugin for S3 here: win-event-stack up --s3, and submit with "
            "win-event-stack submit or flink run"
        )
    return f"{path}: {name}: {message}; check {look_at}. --no-check submits anyway"
