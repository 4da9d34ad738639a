"""What the job tells Flink about itself. Pure."""

from __future__ import annotations

from analytics.settings import AnalyticsSettings
from flink_bridge.flink_settings import flink_options

# Files are written change by change: half a second of changes becomes one. Not over a topic: what Flink puts
# behind the source for this replaces the watermark by the clock, and every event of yesterday would be late.
_TOGETHER = {
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "500 ms",
    "table.exec.mini-batch.size": "5000",
}


def analytics_flink_options(settings: AnalyticsSettings) -> dict[str, str]:
    # A person waits for the answer from files, and reading them again would fail again.
    once = {"restart-strategy.type": "disable", **_TOGETHER} if settings.files else {}
    # To the end of a topic every partition has its turn: none is idle, however long the others take.
    idle = 0 if settings.bounded else int(settings.idle_timeout * 1000)
    return {
        **flink_options(settings),
        **once,
        "parallelism.default": str(settings.parallelism),
        "table.exec.source.idle-timeout": f"{idle} ms",
        # Bursts of computers and addresses that nobody has touched for a day are forgotten. A row of the
        # inventory that has not changed for a day holds as before.
        "table.exec.state.ttl": "0 ms" if settings.inventory_topics else "1 d",
    }
