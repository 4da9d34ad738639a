"""The limits for one record, from the settings of the topic and of the producer. Pure.

If a broker refuses a record, the job fails, and fails again after each restart. So a line outside the limits
is rejected earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FOREVER = 2**62
"""In milliseconds: no limit."""

MAX_REQUEST_SIZE = 1_048_576  # the limit of Kafka's producer, unless max.request.size is set
_HOUR = 3_600_000
_MARGIN = 5 * 60_000  # for clocks that differ, and for records that wait on their way

# The defaults of Kafka's brokers.
DEFAULTS = {
    "max.message.bytes": "1048588",
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": str(2**63 - 1),
    "message.timestamp.after.max.ms": str(_HOUR),
    "retention.ms": str(7 * 24 * _HOUR),
    "cleanup.policy": "delete",
}


@dataclass(frozen=True)
class TopicLimits:
    """Bytes of a record, and milliseconds by which its timestamp may be away from now."""

    max_record: int = MAX_REQUEST_SIZE
    most_ahead: int = _HOUR - _MARGIN
    most_behind: int = FOREVER
    """The broker refuses older records."""
    retention: int = FOREVER
    """Older records are deleted soon after they were written."""


UNKNOWN = TopicLimits()
"""The limits of a topic whose settings could not be read."""


def topic_limits(topic: Mapping[str, str], producer: Mapping[str, str]) -> TopicLimits:
    """Limits from a topic's settings (those missing have Kafka's defaults) and the producer's properties."""
    settings = {**DEFAULTS, **topic}
    size = min(
        int(settings["max.message.bytes"]),
        int(producer.get("max.request.size", MAX_REQUEST_SIZE)),
        int(producer.get("buffer.memory", MAX_REQUEST_SIZE)),
    )
    if settings["message.timestamp.type"] == "LogAppendTime":
        return TopicLimits(size, FOREVER, FOREVER, FOREVER)  # the broker replaces our time by its own
    after, before = (int(settings[f"message.timestamp.{way}.max.ms"]) for way in ("after", "before"))
    retention = int(settings["retention.ms"])
    deletes = "delete" in settings["cleanup.policy"] and retention >= 0
    return TopicLimits(
        size,
        _less_margin(after),
        _less_margin(before),
        min(retention, FOREVER) if deletes else FOREVER,
    )


def _less_margin(milliseconds: int) -> int:
    return min(milliseconds - min(_MARGIN, milliseconds // 10), FOREVER)
