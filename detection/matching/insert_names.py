"""The names of the values that Fluent Bit's in_winevtlog writes without names, from the event catalogue."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from producer.events.catalogue.event_catalogue import load_catalogue

Names = tuple[str, ...]

# A later version of an event has its new fields at the end, so one list of names serves all versions. Not so
# in these two of Windows Server 2008: (event id, version), by Microsoft-Windows-Security-Auditing's manifest.
_OTHER_ORDER = {(4616, 0), (4656, 0)}


@lru_cache(maxsize=1)
def _catalogue() -> dict[tuple[str, int], list[tuple[str, Names]]]:
    known: dict[tuple[str, int], list[tuple[str, Names]]] = {}
    for each in load_catalogue().event_types.values():
        known.setdefault((each.channel, each.event_id), []).append((each.provider, tuple(each.data)))
    return known


def insert_names(channel: Any, event_id: Any, provider: Any, version: Any = None) -> Names:
    """The names in their order; empty if the catalogue does not have this event type of this provider.

    An event of an older Windows has fewer values, one of a newer Windows more.
    """
    if not isinstance(channel, str) or not isinstance(event_id, int):
        return ()
    if isinstance(version, int) and (event_id, version) in _OTHER_ORDER:
        return ()
    found = _catalogue().get((channel, event_id), [])
    return next((names for name, names in found if name == provider), found[0][1] if found else ())
