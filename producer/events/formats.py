"""The JSON shapes of an event. Each function builds the document of one event type once, with slots for
values.

`late.timestamp` and then `late.record_id` must come before every slot that changes from event to event:
these two are known only when the line is written; everything after them is rendered with the story.
Field maps: SystemPropertiesType (Windows Event Log schema), Winlogbeat exported fields, NXLog im_msvistalog,
Fluent Bit plugins/in_winevtlog/pack.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from producer.event_shapes import PATHS, at
from producer.events.catalogue.event_catalogue import EventType

Document = dict[str, Any]
SLOT = re.compile(r'\\u0001(.+?)\\u0002|"\\u0003(.+?)\\u0004"')  # as json.dumps writes them
_NXLOG_SEVERITY = {0: (2, "INFO"), 1: (5, "CRITICAL"), 2: (4, "ERROR"), 3: (3, "WARNING"), 4: (2, "INFO"), 5: (1, "DEBUG")}  # fmt: skip  # noqa: E501


def text_slot(name: str) -> str:
    return f"\x01{name}\x02"


def number_slot(name: str) -> str:
    """A slot for a number, so without quotes around it."""
    return f"\x03{name}\x04"


def flat(event_type: EventType, data: dict[str, str], message: str) -> Document:
    """The default shape: the portable field names, EventData under `data`."""
    return {
        "timestamp": text_slot("late.timestamp"),
        "level": event_type.level_name,
        "source": event_type.channel,
        "event_id": event_type.event_id,
        "event_type": event_type.event_type,
        "record_id": number_slot("late.record_id"),
        "computer": text_slot("host.name"),
        "provider": event_type.provider,
        "task": event_type.task_name,
        "keywords": f"0x{event_type.keywords:x}",
        "process_id": number_slot(f"host.pid.{event_type.process}"),
        "thread_id": number_slot("event.tid"),
        "data": data,
        "message": message,
    }


def winlogbeat(event_type: EventType, data: dict[str, str], message: str) -> Document:
    """Winlogbeat 7 and later: ECS fields beside winlog.*."""
    audit = event_type.event_type if event_type.event_type.startswith("Audit") else ""
    provider = {"provider_guid": event_type.guid} if event_type.guid else {}
    return {
        "@timestamp": text_slot("late.timestamp"),
        "winlog": {
            "record_id": number_slot("late.record_id"),
            "channel": event_type.channel,
            "computer_name": text_slot("host.name"),
            "provider_name": event_type.provider,
            **provider,
            "event_id": str(event_type.event_id),
            "version": event_type.version,
            "task": event_type.task_name,
            "opcode": event_type.opcode_name,
            "keywords": [audit or "Classic"],
            "process": {
                "pid": number_slot(f"host.pid.{event_type.process}"),
                "thread": {"id": number_slot("event.tid")},
            },
            "api": "wineventlog",
            "event_data": data,
        },
        "event": {
            "kind": "event",
            "code": str(event_type.event_id),
            "provider": event_type.provider,
            "action": event_type.task_name,
            **({"outcome": audit.removeprefix("Audit ").lower()} if audit else {}),
        },
        "host": {"name": text_slot("host.name")},
        "log": {"level": event_type.level_name.lower()},
        "message": message,
    }


def nxlog(event_type: EventType, data: dict[str, str], message: str) -> Document:
    """NXLog im_msvistalog with to_json(): EventData flattened to the top level."""
    audit = event_type.event_type.upper().replace(" ", "_") if "Audit" in event_type.event_type else ""
    severity = (4, "ERROR") if audit == "AUDIT_FAILURE" else _NXLOG_SEVERITY[event_type.level]
    signed = event_type.keywords - 2**64 if event_type.keywords >= 2**63 else event_type.keywords
    document = {
        "EventTime": text_slot("late.timestamp"),
        "RecordNumber": number_slot("late.record_id"),
        "Hostname": text_slot("host.name"),
        "Keywords": signed,
        "EventType": audit or severity[1],
        "SeverityValue": severity[0],
        "Severity": severity[1],
        "EventID": event_type.event_id,
        "SourceName": event_type.provider,
        "ProviderGuid": event_type.guid,
        "Version": event_type.version,
        "Task": event_type.task,
        "OpcodeValue": event_type.opcode,
        "ExecutionProcessID": number_slot(f"host.pid.{event_type.process}"),
        "ThreadID": number_slot("event.tid"),
        "Channel": event_type.channel,
        "Message": message.replace("\n", "\r\n"),
        "Category": event_type.task_name,
        "Opcode": event_type.opcode_name,
    }
    flattened = {name: value for name, value in data.items() if name not in document}
    tail = {"SourceModuleName": "eventlog", "SourceModuleType": "im_msvistalog"}
    return document | flattened | {"EventReceivedTime": text_slot("time.seconds")} | tail


def winevtlog(event_type: EventType, data: dict[str, str], message: str) -> Document:
    """Fluent Bit in_winevtlog: the names of the System element, EventData as positional StringInserts."""
    return {
        "TimeCreated": text_slot("late.timestamp"),
        "EventRecordID": number_slot("late.record_id"),
        "ProviderName": event_type.provider,
        "ProviderGuid": event_type.guid,
        "Qualifiers": "",
        "EventID": event_type.event_id,
        "Version": event_type.version,
        "Level": event_type.level,
        "Task": event_type.task,
        "Opcode": event_type.opcode,
        "Keywords": f"0x{event_type.keywords:x}",
        "ActivityID": "",
        "RelatedActivityID": "",
        "ProcessID": number_slot(f"host.pid.{event_type.process}"),
        "ThreadID": number_slot("event.tid"),
        "Channel": event_type.channel,
        "Computer": text_slot("host.name"),
        "UserID": "",
        "Message": message.replace("\n", "\r\n"),
        "StringInserts": list(data.values()),
    }


FORMATS: dict[str, Callable[[EventType, dict[str, str], str], Document]] = {
    "flat": flat,
    "winlogbeat": winlogbeat,
    "nxlog": nxlog,
    "winevtlog": winevtlog,
}
# how each writes the time of the event (strftime for the second; "" appends the seven digits and Z)
TIME_STYLES = {
    "flat": "",
    "winlogbeat": "",
    "nxlog": "%Y-%m-%d %H:%M:%S",
    "winevtlog": "%Y-%m-%d %H:%M:%S +0000",
}


def identify(document: Document, fmt: str) -> tuple[str, str, int] | None:
    """(computer, source, record id) of an event in this shape; None for a document of another shape."""
    paths = PATHS[fmt]
    computer, source, record_id = (at(document, paths[name]) for name in ("computer", "source", "record_id"))
    if isinstance(computer, str) and isinstance(source, str) and type(record_id) is int:
        return computer, source, record_id
    return None
