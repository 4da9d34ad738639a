"""The Flink settings of the job. Pure."""

from __future__ import annotations

from analytics.question_files import shipped
from analytics.settings import AnalyticsSettings
from flink_bridge.flink_settings import flink_options

# Each change is written to a file, so the changes of half a second are joined. Not for a topic: the operator
# that Flink adds for this replaces the watermark by the clock, and every event of yesterday would be late.
_TOGETHER = {
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "500 ms",
    "table.exec.mini-batch.size": "5000",
}


def analytics_flink_options(settings: AnalyticsSettings) -> dict[str, str]:
    # A person waits for the answer from files, and reading them again would fail again.
    once = {"restart-strategy.type": "disable", **_TOGETHER} if settings.files else {}
    # In a run to the end of a topic, every partition is read: none is idle, however long the others take.
    idle = 0 if settings.bounded else int(settings.idle_timeout * 1000)
    return {
        **flink_options(settings),
        **once,
        "parallelism.default": str(settings.parallelism),
        "table.exec.source.idle-timeout": f"{idle} ms",
        "table.exec.state.ttl": "1 d" if _may_forget(settings) else "0 ms",
    }


def _may_forget(settings: AnalyticsSettings) -> bool:
    """Whether state that nobody has touched for a day may go: bursts of computers and addresses.

    Not a row of the inventory, which holds as before, and not what SQL of somebody else counts.
    """
    known = shipped()
    own = any(known.get(question.name) != question for question in settings.questions)
    return not settings.inventory_topics and not own
