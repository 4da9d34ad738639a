"""Lines from any server that sends lines, read by Flink's own socket source."""

from __future__ import annotations

from typing import Any

from pyflink.datastream import DataStream, StreamExecutionEnvironment

from producer.endpoint import Endpoint

FOREVER = -1


def socket_lines(env: StreamExecutionEnvironment, endpoint: Endpoint) -> Any:
    """A stream of lines without their LF. PyFlink has no public call for this source (up to 2.3).

    It reconnects by itself after a clean end of the stream. Any other error fails the task, and the restart
    strategy starts it again.
    """
    j_env = env._j_stream_execution_environment
    lines = DataStream(j_env.socketTextStream(endpoint.host, endpoint.port, "\n", FOREVER))
    return lines.name(f"read {endpoint}").uid(f"lines {endpoint}")
