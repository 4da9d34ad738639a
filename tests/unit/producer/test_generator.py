import json
from collections import defaultdict
from datetime import datetime, timezone
from itertools import islice

import pytest

from producer.events.clock import without_times
from producer.events.generator import Event, generate
from producer.events.generator_settings import GeneratorSettings
from producer.protocol import MAX_LINE_BYTES

START = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)
FLAT_KEYS = [
    "timestamp", "level", "source", "event_id", "event_type", "record_id", "computer", "provider", "task",
    "keywords", "process_id", "thread_id", "data", "message",
]  # fmt: skip


def take(count: int, **settings: object) -> list[Event]:
    return list(islice(generate(GeneratorSettings(**settings)), count))


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return take(20_000, seed=11, start_time=START)


@pytest.fixture(scope="module")
def documents(events: list[Event]) -> list[dict]:
    return [json.loads(event.line) for event in events]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(events: list[Event]) -> None:
    assert take(20_000, seed=11, start_time=START) == events
    assert take(500, seed=12, start_time=START) != events[:500]


def test_without_a_start_time_only_the_timestamps_differ(events: list[Event]) -> None:
    by_clock = take(20_000, seed=11)
    assert [without_times(event.line) for event in by_clock] == [
        without_times(event.line) for event in events
    ]
    assert by_clock[0].line != events[0].line


def test_record_ids_count_up_by_one_in_every_channel_of_every_computer(events: list[Event]) -> None:
    ids = defaultdict(list)
    for event in events:
        ids[event.computer, event.source].append(event.record_id)
    assert {source for _, source in ids} == {"Security", "System", "Application"}
    assert all(own == list(range(1, len(own) + 1)) for own in ids.values())


def test_lines_are_ascii_json_objects_with_the_fields_in_order(
    events: list[Event], documents: list[dict]
) -> None:
    for event, document in zip(events, documents, strict=True):
        assert event.line.isascii()
        assert event.line.endswith(b"\n")
        assert event.line.count(b"\n") == 1
        assert len(event.line) <= MAX_LINE_BYTES
        assert list(document) == FLAT_KEYS
        assert (document["computer"], document["source"], document["record_id"]) == event[:3]
        assert all(isinstance(value, str) for value in document["data"].values())


def test_event_time_runs_forward_with_seven_digits(documents: list[dict]) -> None:
    times = [document["timestamp"] for document in documents]
    assert times == sorted(times)
    assert times[0] >= "2026-01-05T08:00:00.0000000Z"
    assert all(len(time) == 28 for time in times)


def test_the_message_carries_the_values_of_the_data(documents: list[dict]) -> None:
    logons = [document for document in documents if document["event_id"] == 4624]
    for document in logons:
        for name in ("TargetUserName", "TargetLogonId", "IpAddress", "IpPort", "LogonGuid", "LogonType"):
            assert f"\t{document['data'][name]}\n" in document["message"]
    assert logons


def test_a_session_is_joined_by_its_logon_id(documents: list[dict]) -> None:
    logons = {
        (document["computer"], document["data"]["TargetLogonId"]): document["data"]["TargetUserName"]
        for document in documents
        if document["event_id"] == 4624 and document["data"]["TargetUserName"] != "SYSTEM"
    }
    followers = [document for document in documents if document["event_id"] == 4634]
    assert len(followers) > 1000
    for document in followers:
        user = logons[document["computer"], document["data"]["TargetLogonId"]]
        assert user == document["data"]["TargetUserName"]


def test_process_start_and_end_share_the_process_id(documents: list[dict]) -> None:
    started = {
        (document["computer"], document["data"]["NewProcessId"], document["data"]["NewProcessName"])
        for document in documents
        if document["event_id"] == 4688
    }
    ended = [document for document in documents if document["event_id"] == 4689]
    assert ended
    for document in ended:
        data = document["data"]
        assert (document["computer"], data["ProcessId"], data["ProcessName"]) in started
