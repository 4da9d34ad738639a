"""The guarantee that a run really gives, in one line: source, delivery, checkpoints."""

from __future__ import annotations

from flink_bridge.flink_settings import LONGEST_RESTART_SECONDS
from flink_bridge.kafka.settings import DELIVERY_TIMEOUT_SECONDS
from flink_bridge.settings import BridgeSettings


def guarantee(settings: BridgeSettings, heartbeat_timeout: float) -> str:
    """One sentence for the log and the terminal; `heartbeat_timeout` is the cluster's, in seconds."""
    if settings.source == "socket":
        return (
            f"guarantee: {_while_connected()}; each restart may lose the lines in flight and those sent "
            f"without a connection: {_bound(settings, heartbeat_timeout)}, unless the producer runs with "
            "--plain-resume (then at least once); --source auto loses nothing that a win-event-producer "
            "still has"
        )
    resumed = (
        f"{_kind(settings)}, end to end, as long as the producer retains the lines since the last "
        f"checkpoint (every {settings.checkpoint_interval:g} s); a gap is reported, never silent"
    )
    if settings.source == "resume":
        return f"guarantee: {resumed}"
    return (
        f"guarantee: from a win-event-producer {resumed}. From any other server of lines "
        f"{_while_connected()}; each restart may lose the lines in flight and those sent without a connection"
    )


def _kind(settings: BridgeSettings) -> str:
    exact = settings.delivery == "exactly-once"
    return "exactly once for read_committed readers" if exact else "at least once"


def _while_connected() -> str:
    return (
        "no loss while the connection is open, the job runs and Kafka is away for less than "
        f"{DELIVERY_TIMEOUT_SECONDS} s"
    )


def _bound(settings: BridgeSettings, heartbeat_timeout: float) -> str:
    seconds = settings.checkpoint_interval + heartbeat_timeout + LONGEST_RESTART_SECONDS
    return (
        f"at most the lines of {seconds:g} s (checkpoint interval {settings.checkpoint_interval:g}, "
        f"heartbeat.timeout {heartbeat_timeout:g}, restart {LONGEST_RESTART_SECONDS:g}), and of the time "
        "without a free task slot"
    )
