"""Settings of the operator that separates events from rejected lines. Pure."""

from __future__ import annotations

from typing import Any

from flink_bridge.kafka.limits import UNKNOWN, TopicLimits
from flink_bridge.settings import BridgeSettings, EventSettings
from producer.endpoint import Endpoint


def sorting_options(settings: BridgeSettings, endpoint: Endpoint) -> dict[str, Any]:
    """The options of SortLines, which include those of EventLine."""
    return {
        "topic": settings.topic,
        "rejected_topic": settings.rejected_topic,
        "endpoint": str(endpoint),
        "max_rejected": settings.rejected_limits.max_record,
        **line_options(settings.events, settings.limits),
        # Flink's own source passes on characters: invalid UTF-8 is U+FFFD by then, like a real U+FFFD.
        "decoded": settings.source == "socket",
    }


def line_options(events: EventSettings, limits: TopicLimits = UNKNOWN) -> dict[str, Any]:
    """The options of EventLine.

    `places` has the paths to read, and `fields` has, for each field, the numbers of its places. The other
    options refer to fields by number: the key, the time, the required fields, the headers.
    """
    timestamp = (events.timestamp_field,) if events.event_timestamps else ()
    required = tuple(dict.fromkeys((events.key_field, *events.require)))
    read = dict.fromkeys(field.places for field in (*required, *timestamp, *events.headers))
    numbers = {field: number for number, field in enumerate(read)}
    places = {
        place: number
        for number, place in enumerate(dict.fromkeys(place for field in read for place in field))
    }
    return {
        "max_line": events.max_line,
        "max_record": limits.max_record,
        "places": list(places),
        "fields": [[places[place] for place in field] for field in read],
        "key": numbers[events.key_field.places],
        "timestamp": numbers[events.timestamp_field.places] if timestamp else -1,
        "required": [(numbers[field.places], str(field)) for field in required],
        "headers": [(numbers[field.places], str(field)) for field in events.headers],
        "decoded": False,
        "timestamp_zone": events.timestamp_zone,
        "too_old": events.too_old,
        "most_ahead": limits.most_ahead,
        "most_behind": limits.most_behind,
        "retention": limits.retention,
    }
