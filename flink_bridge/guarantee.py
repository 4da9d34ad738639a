"""The guarantee a run really gives, in one line: source, delivery, checkpoints."""

from __future__ import annotations

from flink_bridge.flink_settings import LONGEST_RESTART_SECONDS
from flink_bridge.kafka.settings import DELIVERY_TIMEOUT_SECONDS
from flink_bridge.settings import BridgeSettings


def guarantee(settings: BridgeSettings, heartbeat_timeout: float) -> str:
    """One sentence for the log and the terminal; `heartbeat_timeout` is the cluster's, in seconds."""
    if settings.source == "resume":
        kind = (
            "exactly once for read_committed readers"
            if settings.delivery == "exactly-once"
            else "at least once"
        )
        return (
            f"guarantee: {kind}, end to end, as long as the producer retains what was sent since the last "
            f"checkpoint (every {settings.checkpoint_interval:g} s); a gap is reported, never silent"
        )
    bound = settings.checkpoint_interval + heartbeat_timeout + LONGEST_RESTART_SECONDS
    return (
        "guarantee: no loss while the connection stands, the job runs and Kafka is away for less than "
        f"{DELIVERY_TIMEOUT_SECONDS} s; each restart may lose what was in flight and what is sent to nobody: "
        f"at most the lines of {bound:g} s (checkpoint interval {settings.checkpoint_interval:g}, "
        f"heartbeat.timeout {heartbeat_timeout:g}, restart {LONGEST_RESTART_SECONDS:g}), and of the time "
        "without a free task slot, unless the producer runs with --plain-resume (then at least once); "
        "--source resume loses nothing"
    )
