"""The bridge's own source, in the JVM: the log of a win-event-producer, or the plain lines of any server."""

from __future__ import annotations

import json
from typing import Any

from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.datastream.connectors import Source

from flink_bridge.jvm.classes import java_class
from flink_bridge.settings import BridgeSettings
from producer.endpoint import Endpoint


def reader_options(settings: BridgeSettings, endpoint: Endpoint) -> dict[str, Any]:
    """The settings for EventLog.java. Its files are read on the TaskManager."""
    return {
        "host": endpoint.host,
        "port": endpoint.port,
        "mode": settings.source,
        "start": settings.start_from,
        "fail_on_gap": settings.fail_on_gap,
        "max_line": settings.events.max_line,
        "tls": settings.tls,
        "tls_ca_file": settings.tls_ca_file,
        "tls_cert_file": settings.tls_cert_file,
        "tls_key_file": settings.tls_key_file,
    }


def log_blocks(env: StreamExecutionEnvironment, settings: BridgeSettings, endpoint: Endpoint) -> DataStream:
    """A stream of blocks (byte[], see LineCutter.java), with its own vertex and state for this endpoint."""
    source = Source(java_class("EventLog")(json.dumps(reader_options(settings, endpoint))))
    name = f"read {endpoint}"
    blocks = env.from_source(
        source, WatermarkStrategy.no_watermarks(), name, Types.PRIMITIVE_ARRAY(Types.BYTE())
    )
    return blocks.uid(name).set_parallelism(1)
