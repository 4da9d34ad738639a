"""The guarantee a run really gives, in one line: source, delivery, checkpoints."""

from __future__ import annotations

from flink_bridge.settings import BridgeSettings

RESTART_SECONDS = 10  # the longest pause of the restart strategy in flink_settings
DELIVERY_TIMEOUT_SECONDS = 120  # Kafka's default delivery.timeout.ms


def guarantee(settings: BridgeSettings) -> str:
    """One sentence for the log and the terminal."""
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
    return (
        "guarantee: no loss while the job runs and Kafka is away for less than "
        f"{DELIVERY_TIMEOUT_SECONDS} s; a restart may lose what was in flight, at most the lines of "
        f"{settings.checkpoint_interval + RESTART_SECONDS:g} s plus the time until the failure is noticed, "
        "unless the producer runs with --plain-resume (then at least once); --source resume loses nothing"
    )
