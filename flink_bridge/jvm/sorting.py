"""What the operator that sorts lines into events and rejected lines is told. Pure."""

from __future__ import annotations

from typing import Any

from flink_bridge.settings import BridgeSettings
from producer.endpoint import Endpoint


def sorting_options(settings: BridgeSettings, endpoint: Endpoint) -> dict[str, Any]:
    """What SortLines is told: the paths to read, and which of them (by number) serve for what."""
    events = settings.events
    timestamp = (events.timestamp_field,) if events.event_timestamps else ()
    required = tuple(dict.fromkeys((events.key_field, *timestamp, *events.require)))
    read = dict.fromkeys(path.steps for path in (*required, *events.headers))
    slots = {steps: slot for slot, steps in enumerate(read)}
    return {
        "topic": settings.topic,
        "rejected_topic": settings.rejected_topic,
        "endpoint": str(endpoint),
        "max_line": events.max_line,
        "fields": list(read),
        "key": slots[events.key_field.steps],
        "timestamp": slots[events.timestamp_field.steps] if timestamp else -1,
        "required": [(slots[path.steps], str(path)) for path in required],
        "headers": [(slots[path.steps], str(path)) for path in events.headers],
    }
