"""The four shapes of one logon, field by field, against the public field maps."""

import json
from datetime import datetime, timezone
from itertools import islice

import pytest

from producer.events.formats import FORMATS, identify
from producer.events.generator import Event, generate
from producer.events.generator_settings import GeneratorSettings

START = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)


def events(fmt: str, count: int = 3000) -> list[Event]:
    return list(islice(generate(GeneratorSettings(seed=3, start_time=START, fmt=fmt)), count))


def first(fmt: str, event_id: int) -> tuple[dict, dict]:
    """The first event of this id, flat and in the format: they are the same event."""
    for flat, other in zip(events("flat"), events(fmt), strict=True):
        document = json.loads(flat.line)
        if document["event_id"] == event_id:
            return document, json.loads(other.line)
    raise AssertionError(f"no {event_id}")


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_tells_the_same_events(fmt: str) -> None:
    for flat, other in zip(events("flat"), events(fmt), strict=True):
        assert identify(json.loads(other.line), fmt) == flat[:3] == other[:3]
        assert other.line.isascii()


def test_documents_of_another_shape_are_nobodys() -> None:
    assert identify({"computer": "a", "source": "b", "record_id": "1"}, "flat") is None
    assert identify({"winlog": 3}, "winlogbeat") is None


def test_winlogbeat() -> None:
    flat, beat = first("winlogbeat", 4624)
    assert beat["@timestamp"] == flat["timestamp"]
    assert beat["event"] == {
        "kind": "event",
        "code": "4624",
        "provider": "Microsoft-Windows-Security-Auditing",
        "action": "Logon",
        "outcome": "success",
    }
    assert beat["host"] == {"name": flat["computer"]}
    assert beat["log"] == {"level": "information"}
    assert beat["message"] == flat["message"]
    winlog = beat["winlog"]
    assert winlog.pop("event_data") == flat["data"]
    assert winlog == {
        "record_id": flat["record_id"],
        "channel": "Security",
        "computer_name": flat["computer"],
        "provider_name": "Microsoft-Windows-Security-Auditing",
        "provider_guid": "{54849625-5478-4994-A5BA-3E3B0328C30D}",
        "event_id": "4624",
        "version": 2,
        "task": "Logon",
        "opcode": "Info",
        "keywords": ["Audit Success"],
        "process": {"pid": flat["process_id"], "thread": {"id": flat["thread_id"]}},
        "api": "wineventlog",
    }


def test_nxlog() -> None:
    flat, nxlog = first("nxlog", 4625)
    assert nxlog["EventTime"] == flat["timestamp"][:19].replace("T", " ")
    assert nxlog["EventReceivedTime"] == nxlog["EventTime"]
    assert nxlog["Keywords"] == -9218868437227405312
    assert (nxlog["EventType"], nxlog["Severity"], nxlog["SeverityValue"]) == ("AUDIT_FAILURE", "ERROR", 4)
    assert nxlog["Message"] == flat["message"].replace("\n", "\r\n")
    expected = {
        "EventID": 4625,
        "Hostname": flat["computer"],
        "SourceName": "Microsoft-Windows-Security-Auditing",
        "Task": 12544,
        "Category": "Logon",
        "RecordNumber": flat["record_id"],
        "ExecutionProcessID": flat["process_id"],
        "ThreadID": flat["thread_id"],
        "Channel": "Security",
        "SourceModuleType": "im_msvistalog",
    }
    assert {name: nxlog[name] for name in expected} == expected
    assert flat["data"].items() <= nxlog.items()


def test_winevtlog() -> None:
    flat, fluent = first("winevtlog", 4624)
    assert list(fluent) == [
        "TimeCreated", "EventRecordID", "ProviderName", "ProviderGuid", "Qualifiers", "EventID", "Version",
        "Level", "Task", "Opcode", "Keywords", "ActivityID", "RelatedActivityID", "ProcessID", "ThreadID",
        "Channel", "Computer", "UserID", "Message", "StringInserts",
    ]  # fmt: skip
    assert fluent["TimeCreated"] == flat["timestamp"][:19].replace("T", " ") + " +0000"
    assert fluent["StringInserts"] == list(flat["data"].values())
    assert (fluent["Level"], fluent["Task"], fluent["Keywords"]) == (0, 12544, "0x8020000000000000")
