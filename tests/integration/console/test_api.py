"""The read API over a real broker: the answers are right and bounded, and name parts that do not answer."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise

import httpx
import pytest
from confluent_kafka import Consumer
from consoles import RESULTS, Pipeline, RunningConsole, made_by_the_producer, make_event
from prometheus_client.parser import text_string_to_metric_families
from running import BIN, run, wait_until

from local_stack.broker import kafka_objects

pytestmark = pytest.mark.integration

EVENTS = 300
NOT_UTF8 = b'{"computer":"\xff\xfe"}'
GROUP = "win-event-console-test"


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return made_by_the_producer(EVENTS)


@pytest.fixture(scope="module")
def console(pipeline: Pipeline, start_console, lines: list[bytes]) -> RunningConsole:
    """A console that has read all records of the pipeline; Flink and the producer do not run."""
    console = start_console("--flink-url", "http://127.0.0.1:1", "--producer-url", "http://127.0.0.1:2")
    wait_until(lambda: console.get("status")["reading"]["problem"] is None, "the console reads")
    pipeline.send(*lines)
    for number in range(5):
        pipeline.reject(NOT_UTF8 + b" " * number, "not-utf8")
    pipeline.reject(b"x" * 100_000, "too-long")
    pipeline.answer("events_late", b"WS-001", {"seconds_late": 3})
    for number in range(5):
        for count in (1, 2):
            row = {"window_start": f"2026-11-21T09:0{number}:00Z", "level": "Error", "events": count}
            pipeline.answer("events_by_level_5m", [number], row)
        pipeline.answer("top_5m", [number], {"rank": number, "events": 1})
    pipeline.answer("logon_sessions", ["WS-001", 1], {"computer": "WS-001", "record_id": 1, "seconds": 60})
    pipeline.answer("logon_sessions", ["WS-001", 2], {"computer": "WS-001", "record_id": 2, "seconds": None})
    pipeline.answer("logon_sessions", ["WS-001", 2], None)
    pipeline.answer("alerts", ["a"], {"rule": "error_burst", "subject": "*", "events": 50})
    pipeline.answer(
        "alerts",
        b"b",
        {"rule_id": "b", "title": "Brute force", "record_ids": ["DC-010 Security 1"]},
        "detection",
    )
    wait_until(lambda: sum(console.get("counts")["by_level"].values()) == EVENTS, "all events are read")
    wait_until(lambda: console.get("alerts")["kept"] == 2, "all alerts are read")
    wait_until(lambda: len(console.get("rejected")["lines"]) == 6, "all rejected lines are read")
    return console


def test_events_are_counted_by_level(console: RunningConsole, lines: list[bytes]) -> None:
    expected = dict.fromkeys(("Critical", "Error", "Warning", "Information", "Verbose", "Other"), 0)
    for line in lines:
        expected[json.loads(line)["level"]] += 1
    counts = wait_until(
        lambda: (found := console.get("counts"))["rejected"] == 6 and found["late"] == 1 and found,
        "rejected and late records are counted",
    )
    assert counts["by_level"] == expected
    assert counts["skipped"] == 0


def test_topics_have_their_records_and_a_status_tells_of_everything(
    console: RunningConsole, pipeline: Pipeline
) -> None:
    def topics() -> dict[str, dict]:
        return {topic["name"]: topic for topic in console.get("topics")["topics"]}

    name = pipeline.topic("events_processed")
    wait_until(lambda: topics()[name]["records"] == EVENTS, "the topic's records are known")
    found = topics()[name]
    assert (found["partitions"], found["written"]) == (3, EVENTS)
    assert found["newest_age"] is not None
    status = console.get("status")
    assert set(status["reading"]["topics"]) == {
        pipeline.topic(name)
        for name in ("events_processed", "events_rejected", *RESULTS)
        if name != "events_late"  # only its records are counted
    }
    assert {topic["name"] for topic in status["topics"]} == set(topics())


def test_records_are_read_from_every_kind_of_place(console: RunningConsole, pipeline: Pipeline) -> None:
    path = f"topics/{pipeline.topic('events_rejected')}/records"
    whole = console.get(path, **{"from": "earliest"})
    assert [record["offset"] for record in whole["records"]] == [0, 1, 2, 3, 4, 5]
    assert whole["partitions"] == [{"partition": 0, "start": 0, "end": 6, "next": 6}]
    first = whole["records"][0]
    assert base64.b64decode(first["base64"]) == NOT_UTF8
    assert first["text"] == NOT_UTF8.decode(errors="replace")
    assert {"name": "reason", "value": "not-utf8"} in first["headers"]
    last = whole["records"][-1]
    assert (last["size"], len(last["text"]), last["base64"]) == (100_000, 65_536, None)

    def offsets(**parameters: object) -> list[int]:
        return [record["offset"] for record in console.get(path, **parameters)["records"]]

    assert offsets(limit=2) == [4, 5]
    assert offsets(**{"from": "2", "limit": 2}) == [2, 3]
    assert offsets(**{"from": "2", "partition": 0}) == [2, 3, 4, 5]
    moment = console.get(path, **{"from": "3"})["records"][0]["timestamp"]
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{round(moment % 1 * 1000):03}Z"
    assert 3 in offsets(**{"from": text})
    assert offsets(**{"from": "2999-01-01T00:00:00Z"}) == []
    assert offsets(**{"from": "99"}) == []


def test_pages_of_a_topic_go_on_where_the_last_one_ended(console: RunningConsole, pipeline: Pipeline) -> None:
    seen: list[int] = []
    following = "earliest"
    path = f"topics/{pipeline.topic('events_processed')}/records"
    while True:
        page = console.get(path, **{"from": following, "partition": 0, "limit": 40})
        if not page["records"]:
            break
        seen += [record["offset"] for record in page["records"]]
        following = str(page["partitions"][0]["next"])
    (span,) = page["partitions"]
    assert seen == list(range(span["start"], span["end"]))


def test_groups_have_their_lag(console: RunningConsole, pipeline: Pipeline) -> None:
    login = kafka_objects.connection(pipeline.broker.stack, "reader").client_settings()
    consumer = Consumer(
        {**login, "group.id": GROUP, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )
    consumer.subscribe([pipeline.topic("events_rejected")])
    try:
        message = wait_until(lambda: consumer.poll(1.0), "a record comes")
        consumer.commit(message, asynchronous=False)

        def lag() -> int | None:
            groups = {group["name"]: group for group in console.get("consumer-groups")["groups"]}
            return groups[GROUP]["lag"] if GROUP in groups else None

        wait_until(lambda: lag() == 5, "the group is five records behind")
    finally:
        consumer.close()


def test_a_row_is_the_newest_of_its_key(console: RunningConsole, pipeline: Pipeline) -> None:
    windows = console.get("windows", topic=pipeline.topic("events_by_level_5m"))
    assert windows["kept"] == 5
    assert {row["fields"]["events"] for row in windows["rows"]} == {2}
    assert windows["rows"][0]["fields"]["window_start"] == "2026-11-21T09:04:00Z"
    assert {row["topic"] for row in console.get("windows")["rows"]} == {
        pipeline.topic("events_by_level_5m"),
        pipeline.topic("top_5m"),
    }
    assert [row["fields"]["record_id"] for row in console.get("sessions")["rows"]] == [1]
    alerts = [row["fields"] for row in console.get("alerts")["rows"]]
    assert [alert.get("rule_id", alert.get("rule")) for alert in alerts] == ["b", "error_burst"]
    assert alerts[0]["record_ids"] == ["DC-010 Security 1"]


def test_rejected_lines_have_reason_and_bytes(console: RunningConsole) -> None:
    lines = console.get("rejected")["lines"]
    assert [line["reason"] for line in lines] == ["too-long", *["not-utf8"] * 5]
    assert [line["size"] for line in lines[:2]] == [100_000, len(NOT_UTF8) + 4]
    assert lines[-1]["hex"] == NOT_UTF8.hex(" ")
    assert len(lines[0]["text"]) < 1_000
    assert [line["reason"] for line in console.get("rejected", reason="too-long")["lines"]] == ["too-long"]


def test_events_pass_a_filter(console: RunningConsole, lines: list[bytes]) -> None:
    events = [json.loads(line) for line in lines]
    wanted = [event for event in events if event["level"] == "Information" and event["event_id"] == 4624]
    found = console.get("events", level="Information", filter="event_id:4624", limit=500)
    assert sorted(json.loads(each["line"])["record_id"] for each in found) == sorted(
        event["record_id"] for event in wanted
    )


@pytest.mark.parametrize(
    "path", ["windows", "alerts", "sessions", "rejected", "events", "topics/{rejected}/records"]
)
def test_every_list_is_bounded(console: RunningConsole, pipeline: Pipeline, path: str) -> None:
    path = path.format(rejected=pipeline.topic("events_rejected"))
    for limit in ("0", "501", "-1", "many"):
        answer = httpx.get(f"{console.url}/api/v1/{path}?limit={limit}", timeout=60)
        assert answer.status_code == 422, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
    answer = console.get(path, limit=1)
    found = (
        answer if isinstance(answer, list) else answer.get("rows", answer.get("lines", answer.get("records")))
    )
    assert len(found) == 1


def test_what_is_away_is_said_and_the_rest_answers(console: RunningConsole) -> None:
    assert console.services() == {"kafka": "up", "flink": "away", "producer": "away", "cache": "off"}
    status = console.get("status")
    problems = {each["name"]: each["problem"] for each in status["services"]}
    assert "http://127.0.0.1:1" in problems["flink"]
    assert "http://127.0.0.1:2" in problems["producer"]
    assert status["jobs"] == []
    assert status["producer"] is None
    answer = httpx.post(
        f"{console.url}/api/v1/producer/start", headers={"X-Win-Event-Console": "1"}, timeout=60
    )
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("topics/no_such_topic/records", 404),
        ("topics/{events}/records?partition=7", 404),
        ("topics/{events}/records?from=soon", 422),
        ("topics/{events}/records?from=2026-11-21T09:28:24", 422),
        ("topics/a%20b/records", 422),
        ("windows?topic=alerts", 422),
        ("events?level=loud", 422),
        ("nowhere", 404),
    ],
)
def test_a_wrong_question_is_answered_with_words(
    console: RunningConsole, pipeline: Pipeline, path: str, status: int
) -> None:
    path = path.format(events=pipeline.topic("events_processed"))
    answer = httpx.get(f"{console.url}/api/v1/{path}", timeout=60)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_foreign_page_learns_and_changes_nothing(console: RunningConsole) -> None:
    for headers in ({"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example"}):
        assert httpx.get(f"{console.url}/api/v1/status", headers=headers, timeout=60).status_code == 403
    own = {"X-Win-Event-Console": "1"}
    for headers in ({}, own | {"Origin": "http://evil.example"}, own | {"Sec-Fetch-Site": "cross-site"}):
        stop = f"{console.url}/api/v1/producer/stop"
        assert httpx.post(stop, headers=headers, timeout=60).status_code == 403
    for path in ("/", "/api/v1/status", "/openapi.json", "/docs"):
        policy = httpx.get(console.url + path, timeout=60).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")


def test_events_of_before_the_console_are_shown_but_not_counted(
    pipeline: Pipeline, console, start_console
) -> None:
    late = start_console("--flink-url", "", "--producer-url", "")
    wait_until(lambda: late.get("alerts")["kept"] == 2, "the rows of before are there")
    wait_until(lambda: late.get("events", limit=1), "the events of before are there")
    assert sum(late.get("counts")["by_level"].values()) == 0
    assert late.services() == {"kafka": "up", "flink": "off", "producer": "off", "cache": "off"}


def test_topics_that_the_user_may_not_read_are_told(pipeline: Pipeline, start_console) -> None:
    login = pipeline.broker.shell("bridge")  # which may only write
    console = start_console("--flink-url", "", "--producer-url", "", **login)
    problem = f"may not read {pipeline.topic('events_processed')}: allow it READ"
    wait_until(lambda: problem in str(console.get("status")["reading"]["problem"]), "the problem is told")
    told = console.get("status")["at"]
    wait_until(lambda: console.get("status")["at"] > told + 6, "topics were searched for again")
    assert problem in console.get("status")["reading"]["problem"]
    assert console.services()["kafka"] == "up"


def _open_stream(console: RunningConsole) -> socket.socket:
    host, port = console.url.removeprefix("http://").split(":")
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.connect((host, int(port)))
    opened.settimeout(60)
    opened.sendall(f"GET /api/v1/stream HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    return opened


def test_a_browser_that_does_not_read_gets_fewer_frames_and_never_a_queue(
    console: RunningConsole, pipeline: Pipeline
) -> None:
    with _open_stream(console) as opened, opened.makefile("rb") as stream:
        assert b"200" in stream.readline()
        began = time.time()
        for _ in range(32):  # a frame holds up to 60 events of 16 KB, so the sockets' buffers fill
            pipeline.send(*[make_event("x" * 16_000) for _ in range(60)])
            time.sleep(0.25)
        until = time.time()
        moments = []
        while not moments or moments[-1] < until:
            line = stream.readline()
            if line.startswith(b"data: "):
                moments.append(json.loads(line[6:])["at"])
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert max(pauses) > (until - began) / 3, pauses


def test_streams_are_bounded(console: RunningConsole) -> None:
    with ExitStack() as opened:
        statuses = []
        for _ in range(33):
            stream = opened.enter_context(_open_stream(console)).makefile("rb")
            statuses.append(opened.enter_context(stream).readline().split()[1])
            if statuses[-1] != b"200":
                break
            while not stream.readline().startswith(b"retry"):
                pass
    assert statuses == [b"200"] * 32 + [b"503"]


def test_metrics_count_logons_accounts_and_alerts(console: RunningConsole, lines: list[bytes]) -> None:
    logons = [event for event in map(json.loads, lines) if event["event_id"] in (4624, 4625)]
    page = httpx.get(f"{console.url}/metrics", timeout=60).text
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    for outcome, event_id in (("success", 4624), ("failure", 4625)):
        expected = sum(event["event_id"] == event_id for event in logons)
        assert expected > 0
        assert found["win_event_logons_total", outcome] >= expected
    failed = Counter(event["data"]["TargetUserName"] for event in logons if event["event_id"] == 4625)
    (account, failures), *_ = failed.most_common(1)
    assert found["win_event_top_account_failures", account] >= failures
    assert found["win_event_alerts_total", "Brute force"] == 1
    assert found["win_event_alerts_total", "error_burst"] == 1


def test_topics_that_are_made_anew_are_counted_from_their_first_record(
    console: RunningConsole, pipeline: Pipeline
) -> None:
    def counted() -> int:
        return sum(console.get("counts")["by_level"].values())

    before = counted()
    names = [pipeline.topic(name) for name in ("events_processed", "alerts")]
    environment = pipeline.broker.environment
    done = run(BIN / "win-event-stack", "reset", "topics", *names, "--yes", env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    pipeline.broker.create_topics(pipeline.suffix, with_results=True)
    wait_until(lambda: console.get("alerts")["kept"] == 0, "the old alerts are gone")
    pipeline.send(*[make_event("anew") for _ in range(3)])
    wait_until(lambda: counted() == before + 3, "the new events are counted")
