"""Stories keep the joins that real Windows logs have; scenarios and labels tell the ground truth."""

from collections import Counter, defaultdict
from datetime import datetime, timezone
from itertools import islice
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from producer.cli import main
from producer.events.catalogue.event_catalogue import load_catalogue
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings
from producer.events.timeline.scenarios import ScenarioError

START = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)


def documents(count: int, **settings: object) -> list[dict]:
    own = {"seed": 5, "start_time": START, "labels": True} | settings
    return [orjson.loads(event.line) for event in islice(generate(GeneratorSettings(**own)), count)]


@pytest.fixture(scope="module")
def events() -> list[dict]:
    return documents(15_000)


@pytest.fixture(scope="module")
def system_events() -> list[dict]:
    mix = {"Security": 1.0, "System": 98.0, "Application": 1.0}
    return documents(20_000, profile="workstation", channel_mix=mix)


def by_story(events: list[dict], story: str) -> list[list[dict]]:
    groups = defaultdict(list)
    for event in events:
        if event["labels"]["story"] == story:
            groups[event["labels"]["story_id"]].append(event)
    return list(groups.values())


def ids(group: list[dict]) -> list[int]:
    return [event["event_id"] for event in group]


def test_privileges_follow_most_logons_with_the_same_logon_id(events: list[dict]) -> None:
    sessions = by_story(events, "session")
    assert len(sessions) > 1000
    privileged = [group for group in sessions if 4672 in ids(group)]
    assert 0.75 < len(privileged) / len(sessions) < 0.9
    for logon, privileges, *_ in privileged:
        if logon["event_id"] == 4624:
            assert privileges["data"]["SubjectLogonId"] == logon["data"]["TargetLogonId"]


def test_a_crash_is_told_by_three_events_with_one_report(events: list[dict]) -> None:
    crashes = [group for group in by_story(events, "application-crash") if len(group) == 3]
    assert crashes
    for runtime, error, report in crashes:
        assert ids([runtime, error, report]) == [1026, 1000, 1001]
        assert runtime["data"]["Data"] == error["data"]["AppName"] == report["data"]["P1"]
        assert error["data"]["IntegratorReportId"] == report["data"]["ReportId"]


def test_lock_outs_come_after_several_failures_of_the_same_user(events: list[dict]) -> None:
    stories = [group for group in by_story(events, "lock-out") if ids(group)[-1] == 4740]
    assert stories
    for *failures, lock_out in stories:
        assert set(ids(failures)) == {4625}
        assert len(failures) >= 4
        assert {event["data"]["TargetUserName"] for event in failures} == {lock_out["data"]["TargetUserName"]}
        assert lock_out["computer"].startswith("DC-")


def test_a_restart_writes_the_boot_events_in_their_order(system_events: list[dict]) -> None:
    boots = [
        group for group in by_story(system_events, "restart") if 1500 in ids(group) and 1074 in ids(group)
    ]
    assert boots
    for group in boots:
        order = [each for each in ids(group) if each in (1074, 6006, 13, 12, 6009, 6005, 4608, 1500)]
        assert order == [1074, 6006, 13, 12, 6009, 6005, 4608, 1500]


def test_an_unexpected_restart_has_41_and_6008(system_events: list[dict]) -> None:
    whole = [group for group in by_story(system_events, "unexpected-restart") if 6008 in ids(group)]
    assert whole
    assert all(41 in ids(group) and 12 in ids(group) for group in whole)


@pytest.mark.parametrize(
    ("profile", "prefixes", "typical"),
    [
        ("workstation", {"WS"}, 4688),
        ("server", {"SRV"}, 7036),
        ("domain-controller", {"DC"}, 4769),
        ("mixed", {"WS", "SRV", "DC"}, 4624),
        ("audit-all", {"WS", "SRV", "DC"}, 5156),
    ],
)
def test_profiles(profile: str, prefixes: set[str], typical: int) -> None:
    events = documents(8000, profile=profile)
    assert {event["computer"].split("-")[0] for event in events} == prefixes
    counts = Counter(event["event_id"] for event in events)
    assert counts[typical] > 100
    shares = Counter(event["source"] for event in events)
    assert 0.75 < shares["Security"] / 8000 < 0.93


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("brute-force", {4625: 43, 4740: 1, 4624: 1}),
        ("password-spray", {4625: 25, 4624: 1}),
        ("service-install", {4697: 1, 7045: 1, 7036: 2, 4688: 1}),
        ("log-cleared", {4719: 1, 1102: 1, 104: 1}),
        ("rogue-account", {4720: 1, 4728: 1, 4732: 1, 4726: 1}),
    ],
)
def test_scenarios(scenario: str, expected: dict[int, int]) -> None:
    events = documents(5000, scenarios=(f"{scenario}@20",), hosts=4, host_rate=0.5)
    told = [event for event in events if event["labels"].get("scenario") == scenario]
    counts = Counter(event["event_id"] for event in told)
    assert all(counts[event_id] >= least for event_id, least in expected.items())
    assert told[0]["timestamp"] >= "2026-01-05T08:00:20"
    assert len({event["labels"]["story_id"] for event in told}) == 1
    assert {event["labels"]["story_events"] for event in told} == {len(told)}


def test_a_scenario_at_a_rate_comes_again_and_leaves_the_background_as_it_was() -> None:
    def background(events: list[dict]) -> list[tuple[str, int, str]]:
        return [
            (event["timestamp"], event["event_id"], event["computer"])
            for event in events
            if "scenario" not in event["labels"]
        ]

    attacked = documents(8000, scenarios=("brute-force@40/h",))
    assert len(by_story(attacked, "brute-force")) >= 3
    quiet = background(documents(8000))
    own = background(attacked)
    assert own == quiet[: len(own)]


def test_unknown_scenarios_are_named() -> None:
    with pytest.raises(ScenarioError, match="known: brute-force"):
        documents(1, scenarios=("heist",))


def test_many_computers_count_as_exactly_as_few() -> None:
    last: dict[tuple[str, str], int] = {}
    for event in documents(10_000, hosts=500):
        key = event["computer"], event["source"]
        assert event["record_id"] == last.get(key, 0) + 1
        last[key] = event["record_id"]
    assert len({computer for computer, _ in last}) > 450


def test_the_help_names_every_scenario() -> None:
    names = sorted(name for name, story in load_catalogue().stories.items() if story.scenario)
    text = " ".join(CliRunner().invoke(main, ["--help"], terminal_width=10_000).stdout.split())
    assert f"per hour: {', '.join(names)}." in text


def test_stories_of_several_runs_and_seeds_have_ids_of_their_own() -> None:
    def ids(**settings: Any) -> set[str]:
        return {
            event["labels"]["story_id"] for event in documents(500, scenarios=("brute-force",), **settings)
        }

    assert ids() == ids()
    assert not ids() & ids(run=2)
    assert not ids() & ids(seed=2)
