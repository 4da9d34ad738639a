"""The guarantee that a run really gives, in one line: source, delivery, checkpoints."""

from __future__ import annotations

from flink_bridge.flink_settings import LONGEST_RESTART_SECONDS
from flink_bridge.settings import BridgeSettings

_RESTART = "each restart may lose the lines in flight and those that were sent without a connection"


def guarantee(settings: BridgeSettings, heartbeat_timeout: float) -> str:
    """One sentence for the log and the terminal; `heartbeat_timeout` is the cluster's, in seconds."""
    if settings.source == "socket":
        return (
            f"guarantee: {_while_connected(settings)}; {_RESTART}: {_bound(settings, heartbeat_timeout)}. "
            "If the producer runs with --plain-resume, every line is delivered at least once. --source auto "
            "loses nothing that a win-event-producer still has"
        )
    resumed = (
        f"guarantee: each line of a win-event-producer is delivered {_kind(settings)}, as long as the "
        "producer still has the lines since the last checkpoint "
        f"(every {settings.checkpoint_interval:g} s); if it has not, the job reports the gap"
    )
    if settings.source == "resume":
        return resumed
    return f"{resumed}. From any other server of lines, {_while_connected(settings)}; {_RESTART}"


def _kind(settings: BridgeSettings) -> str:
    exact = settings.delivery == "exactly-once"
    return "exactly once to readers with read_committed" if exact else "at least once"


def _while_connected(settings: BridgeSettings) -> str:
    seconds = float(settings.kafka.producer_properties()["delivery.timeout.ms"]) / 1000
    return (
        "nothing is lost while the connection is open, the job runs and Kafka is away for less than "
        f"{seconds:g} s"
    )


def _bound(settings: BridgeSettings, heartbeat_timeout: float) -> str:
    seconds = settings.checkpoint_interval + heartbeat_timeout + LONGEST_RESTART_SECONDS
    return (
        f"at most the lines of {seconds:g} s (checkpoint interval {settings.checkpoint_interval:g}, "
        f"heartbeat.timeout {heartbeat_timeout:g}, restart {LONGEST_RESTART_SECONDS:g}), and of the time "
        "without a free task slot"
    )
