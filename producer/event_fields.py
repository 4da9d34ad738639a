"""The fields that contain the computer and the time in each shape of event: the defaults of every tool. Pure.

A name with dots leads into objects, or is the name of one member: `host.name` reads both. The first name in
the list that a line has is used. The shapes: win-event-producer's four, Winlogbeat, NXLog im_msvistalog,
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
"""evtx_dump writes an element with attributes as an object, which has its text under this name."""

INSERTS: dict[str, dict[int, tuple[int, ...]]] = {
    "TargetUserName": {
        1: (4720, 4722, 4724, 4725, 4726, 4740, 4768, 4769, 4771, 4798, 4799),
        2: (4634, 4647, 4738, 4776, 4800, 4801),
        3: (4728, 4732),
        6: (4624, 4625, 4627, 4648, 4703),
        11: (4688,),
    },
    "TargetLogonId": {4: (4634, 4647, 4800, 4801), 8: (4624, 4627, 4703), 13: (4688,)},
    "LogonType": {5: (4634,), 9: (4624, 4627), 11: (4625,)},
    "IpAddress": {7: (4769, 4771), 10: (4768,), 13: (4648,), 19: (4624,), 20: (4625,)},
}
"""Fluent Bit writes EventData by position.

Name -> position (from 1) -> ids of the Security events that have the name there.
"""


def places(name: str) -> tuple[tuple[str, ...], ...]:
    """The paths where a field of this name can be: first nested, then one member whose name contains dots."""
    steps = tuple(name.split("."))
    return (steps, (name,)) if len(steps) > 1 else (steps,)
