"""Where the shapes of a Windows event keep the computer and the time: the defaults of every tool. Pure.

A name with dots leads into objects, or is the name of one member: `host.name` reads both. The first of
the list that a line has counts. The shapes: win-event-producer's four, Winlogbeat, NXLog im_msvistalog,
Fluent Bit in_winlog and in_winevtlog, evtx_dump, Hayabusa's timeline, Wazuh, Get-WinEvent as JSON.
"""

from __future__ import annotations

KEY_FIELDS = (
    "computer",
    "Computer",
    "Hostname",
    "host.name",
    "winlog.computer_name",
    "Event.System.Computer",
    "MachineName",
    "ComputerName",
    "data.win.system.computer",
)
TIMESTAMP_FIELDS = (
    "timestamp",
    "@timestamp",
    "EventTime",
    "TimeCreated",
    "Event.System.TimeCreated.#attributes.SystemTime",
    "Event.System.TimeCreated_attributes.SystemTime",
    "Event.System.TimeCreated.@SystemTime",
    "Timestamp",
    "TimeGenerated",
)
TEXT_MEMBER = "#text"
"""evtx_dump writes an element with attributes as an object that holds its text under this name."""


def places(name: str) -> tuple[tuple[str, ...], ...]:
    """Where a field of this name can stand: nested first, then as one member whose name has dots."""
    steps = tuple(name.split("."))
    return (steps, (name,)) if len(steps) > 1 else (steps,)
