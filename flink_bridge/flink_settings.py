"""The Flink options of the job. They have priority over the cluster's configuration."""

from __future__ import annotations

from typing import Protocol

_MAX_BACKOFF = 5  # seconds
_JITTER = 0.1
LONGEST_RESTART_SECONDS = _MAX_BACKOFF * (1 + _JITTER)
"""The longest pause of the restart strategy below, jitter included."""


class JobSettings(Protocol):
    """The settings of every job here: its name, and the seconds between two checkpoints."""

    @property
    def name(self) -> str: ...

    @property
    def checkpoint_interval(self) -> float: ...


def flink_options(settings: JobSettings) -> dict[str, str]:
    """Flink configuration of the job."""
    return {
        "pipeline.name": settings.name,
        "pipeline.object-reuse": "true",
        "table.local-time-zone": "UTC",
        "execution.checkpointing.interval": f"{int(settings.checkpoint_interval * 1000)} ms",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        # Without end, with jitter and short pauses: the job soon finds a producer that comes back.
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": f"{_MAX_BACKOFF} s",
        "restart-strategy.exponential-delay.backoff-multiplier": "2.0",
        "restart-strategy.exponential-delay.jitter-factor": str(_JITTER),
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": "2147483647",
    }
