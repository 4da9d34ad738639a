"""What the job tells Flink about itself. Pure."""

from __future__ import annotations

from analytics.settings import AnalyticsSettings
from flink_bridge.flink_settings import flink_options

# Running counts change with every event: half a second of changes becomes one.
_TOGETHER = {
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "500 ms",
    "table.exec.mini-batch.size": "5000",
}


def analytics_flink_options(settings: AnalyticsSettings) -> dict[str, str]:
    # A person waits for the answer from files, and reading them again would fail again.
    once = {"restart-strategy.type": "disable"} if settings.files else {}
    return {
        **flink_options(settings),
        **once,
        **_TOGETHER,
        "parallelism.default": str(settings.parallelism),
        "table.exec.source.idle-timeout": f"{int(settings.idle_timeout * 1000)} ms",
        # Bursts, sessions and accounts that nobody has touched for a day are forgotten.
        "table.exec.state.ttl": "1 d",
        # Two questions that write one topic share one writer, and so one transaction.
        "table.optimizer.reuse-sink-enabled": "true",
    }
