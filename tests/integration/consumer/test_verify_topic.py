"""win-event-verify as a command over real topics: it finds and names the damage that a test made."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import islice

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from running import BIN, run

from local_stack.broker import kafka_objects
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings

pytestmark = pytest.mark.integration

COUNT = 600
SETTINGS = GeneratorSettings(seed=3, hosts=4, start_time=datetime(2026, 11, 21, tzinfo=timezone.utc))
VERIFY = BIN / "win-event-verify"
SEED = ("--seed", "3", "--count", "600", "--hosts", "4")
FINDINGS = ("lost", "unseen", "duplicated", "reordered", "corrupt", "invented", "rejected")


@pytest.fixture(scope="module")
def lines():
    return [event.line[:-1] for event in islice(generate(SETTINGS), COUNT)]


def computer(line):
    return json.loads(line)["computer"].encode()


def name(line):
    event = json.loads(line)
    return f"{event['computer']}/{event['source']} {event['record_id']}"


def produce(broker, topic, values: Iterable[bytes], headers=None, **settings):
    """Write records as the bridge does: key = computer."""
    login = kafka_objects.connection(broker.stack, "bridge").client_settings()
    client = Producer({**login, **settings})
    if "transactional.id" in settings:
        client.init_transactions(60)
        client.begin_transaction()
    for value in values:
        key = computer(value) if value.startswith(b'{"timestamp"') else b"?"
        client.produce(topic, value=value, key=key, headers=headers)
    assert client.flush(60) == 0
    return client


def verify(broker, *options, user="reader", **environment):
    return run(VERIFY, "--json", *options, env={**broker.shell(user), **environment}, timeout=120)


def found(result):
    report = json.loads(result.stdout)
    return {kind: report[kind] for kind in FINDINGS if report[kind]}


def test_a_whole_topic_passes_and_its_latency_is_measured(broker, topics, lines):
    topic, _ = topics
    produce(broker, topic, lines)
    result = verify(broker, "--topic", topic, *SEED)
    report = json.loads(result.stdout)
    assert result.returncode == 0, result.stderr
    assert (report["records"], report["distinct"], report["ok"]) == (COUNT, COUNT, True)
    assert set(report["latency_ms"]) == {"p50", "p99", "max"}
    assert report["latency_ms"]["p50"] > 0
    assert found(verify(broker, "--topic", topic)) == {}


def test_every_kind_of_damage_is_found_with_its_place(broker, topics, lines):
    topic, rejected = topics
    lost, rejected_line, flipped, doubled = lines[100], lines[120], lines[140], lines[160]
    swapped = [line for line in lines[200:] if computer(line) == computer(lines[200])][:2]
    forged = json.loads(lines[300]) | {"record_id": 999_999}
    changes = {
        lost: [],
        rejected_line: [],
        flipped: [flipped.replace(b'"task":"', b'"task":"x', 1)],
        doubled: [doubled, doubled],
        swapped[0]: [swapped[1]],
        swapped[1]: [swapped[0]],
        lines[300]: [lines[300], json.dumps(forged, separators=(",", ":")).encode()],
    }
    produce(broker, topic, [new for line in lines for new in changes.get(line, [line])])
    produce(broker, rejected, [rejected_line], headers={"reason": b"too-long"})
    produce(broker, rejected, [b"garbage", b"more"], headers={"reason": b"not-json"})
    result = verify(broker, "--topic", topic, "--rejected-topic", rejected, *SEED)
    assert result.returncode == 1
    counts = found(result)
    assert counts.pop("reordered") >= 1
    assert counts == {"lost": 1, "duplicated": 1, "corrupt": 1, "invented": 1, "rejected": 3}
    place = rf"{topic} partition \d offset \d+"
    for expected in (
        rf"^lost: {re.escape(name(lost))}, {place}, missing before this record$",
        rf"^duplicated: {re.escape(name(doubled))}, {place}$",
        rf"^corrupt: {re.escape(name(flipped))}, {place}, its bytes differ from the produced ones$",
        rf"^invented: \S+ 999999, {place}$",
        rf"^reordered: .*, {place}, after ",
        r"^rejected: not-json: 2$",
        r"^rejected: too-long: 1$",
    ):
        assert re.search(expected, result.stderr, re.MULTILINE), (expected, result.stderr)
    table = run(VERIFY, "--topic", topic, *SEED, env=broker.shell("reader"))
    assert table.returncode == 1
    assert re.search(r"^FAILED: 2 lost, .*; compared with seed 3, 600 events", table.stdout, re.MULTILINE)


def test_a_running_producer_and_its_ledger(broker, topics, producer, tmp_path):
    topic, _ = topics
    ledger = tmp_path / "run.ledger"
    server = producer("--rate", "max", "--count", "2000", "--ledger", str(ledger), "--wait-for-clients", "1")
    events = run(BIN / "win-event-tail", f"127.0.0.1:{server.port}", "-n", "2000").stdout.encode()
    produce(broker, topic, events.splitlines())
    result = verify(broker, "--topic", topic, "--ledger", str(ledger), "--complete", "--exactly-once")
    assert (result.returncode, found(result)) == (0, {}), result.stderr
    produce(broker, topic, events.splitlines()[-3:])
    again = verify(broker, "--topic", topic, "--ledger", str(ledger), "--exactly-once")
    assert (again.returncode, found(again)) == (1, {"duplicated": 3})


def test_a_key_that_is_not_the_computer_is_corrupt(broker, topics, lines):
    topic, _ = topics
    client = produce(broker, topic, lines[:50])
    client.produce(topic, value=lines[50], key=b"elsewhere")
    client.flush(60)
    result = verify(broker, "--topic", topic)
    assert found(result)["corrupt"] == 1
    assert "has the key 'elsewhere'" in result.stderr


def test_aborted_records_are_skipped_when_reading_committed(broker, topics, lines):
    topic, _ = topics
    transaction = {"transactional.id": "win-event-bridge-test"}
    produce(broker, topic, lines[:40], **transaction).abort_transaction(60)
    produce(broker, topic, lines, **transaction).commit_transaction(60)
    committed = verify(broker, "--topic", topic, "--read-committed", "--exactly-once", *SEED)
    assert (committed.returncode, found(committed)) == (0, {}), committed.stderr
    assert found(verify(broker, "--topic", topic, *SEED)) == {"duplicated": 40}


def test_an_open_transaction_leaves_an_audit_incomplete_and_is_named(broker, topics, lines):
    topic, _ = topics
    transaction = {"transactional.id": "win-event-bridge-hangs"}
    produce(broker, topic, lines[:40], **transaction).commit_transaction(60)
    hanging = produce(broker, topic, lines[40:60], **transaction)
    result = verify(broker, "--topic", topic, "--read-committed")
    report = json.loads(result.stdout)
    assert (result.returncode, report["verdict"], report["records"]) == (3, "incomplete", 40), result.stderr
    assert report["unread"] >= 20
    assert report["transactions"]
    assert all(
        re.fullmatch(r"producer id \d+ epoch \d+, last written at .*", name)
        for name in report["transactions"]
    )
    assert found(result) == {}
    table = run(VERIFY, "--topic", topic, "--read-committed", env=broker.shell("reader"))
    assert "offsets behind the last stable one could not be read" in table.stdout
    hanging.commit_transaction(60)
    after = verify(broker, "--topic", topic, "--read-committed", "--exactly-once")
    assert (after.returncode, json.loads(after.stdout)["unread"]) == (0, 0), after.stdout


def test_rejected_lines_are_shown_by_reason_and_endpoint(broker, topics):
    _, rejected = topics
    produce(broker, rejected, [b"garbage"] * 3, headers={"reason": b"not-json", "endpoint": b"a:1"})
    produce(broker, rejected, [b"\x1b[2J" + b"x" * 500], headers={"reason": b"too-long", "endpoint": b"b:2"})
    shown = run(VERIFY, "--rejected", "--rejected-topic", rejected, env=broker.shell("reader"))
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^not-json +3 +a:1 \(3\) *$", shown.stdout, re.MULTILINE)
    assert re.search(r"^\d{4}-\d\d-\d\d [\d:]{8}  0/2  garbage", shown.stdout, re.MULTILINE)
    assert r"\x1b[2Jxxx" in shown.stdout
    told = run(VERIFY, "--rejected", "--json", "--rejected-topic", rejected, env=broker.shell("reader"))
    report = json.loads(told.stdout)
    assert [(row["reason"], row["count"], row["endpoints"]) for row in report["reasons"]] == [
        ("not-json", 3, {"a:1": 3}),
        ("too-long", 1, {"b:2": 1}),
    ]
    since = ("--since", "2099-01-01")
    nothing = run(VERIFY, "--rejected", *since, "--rejected-topic", rejected, env=broker.shell("reader"))
    assert "nothing was rejected" in nothing.stdout


def test_several_runs_in_one_topic_are_judged_one_by_one(broker, topics, tmp_path):
    topic, rejected = topics
    ledgers, events = [], []
    for seed in ("1", "2"):
        ledger = tmp_path / f"{seed}.ledger"
        made = run(
            BIN / "win-event-producer", "--stdout", "--seed", seed, "--rate", "max", "--count", "300",
            "--ledger", ledger,
        )  # fmt: skip
        events.append(made.stdout.encode().splitlines())
        ledgers += ["--ledger", str(ledger)]
    produce(broker, topic, [*events[0], *events[1][:100], *events[1][101:], *events[0][-5:]])
    produce(broker, rejected, [events[1][100]], headers={"reason": b"too-long"})
    result = verify(broker, "--topic", topic, "--rejected-topic", rejected, *ledgers)
    report = json.loads(result.stdout)
    assert (result.returncode, found(result)) == (0, {"duplicated": 5, "rejected": 1}), result.stderr
    assert [(each["distinct"], each["duplicated"]) for each in report["runs"]] == [(300, 5), (299, 0)]
    alone = json.loads(verify(broker, "--topic", topic, "--rejected-topic", rejected).stdout)
    assert [(each["distinct"], each["verdict"]) for each in alone["runs"]] == [(300, "ok"), (299, "ok")]
    assert alone["verdict"] == "ok"


def test_following_sees_what_comes_later_and_ends_with_the_verdict(broker, topics, lines):
    topic, _ = topics
    produce(broker, topic, lines[:300])
    command = [str(VERIFY), "--json", "--follow", "--topic", topic, *SEED]
    environment = os.environ | broker.shell("reader")
    follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    idle = subprocess.Popen([*command, "--idle-timeout", "20"], stdout=subprocess.PIPE, env=environment)
    client = Producer(kafka_objects.connection(broker.stack, "bridge").client_settings())
    for number, line in enumerate(lines[300:]):  # slowly: both have long read what was there at first
        client.produce(topic, line, computer(line))
        if number % 10 == 9:
            assert client.flush(60) == 0
            time.sleep(0.1)
    assert follower.poll() is None
    assert json.loads(idle.communicate(timeout=60)[0])["distinct"] == COUNT
    follower.send_signal(signal.SIGTERM)
    assert json.loads(follower.communicate(timeout=60)[0])["distinct"] == COUNT
    assert follower.returncode == idle.returncode == 0


def test_nothing_is_written_and_nothing_committed(broker, topics, lines):
    topic, _ = topics
    produce(broker, topic, lines[:20])
    assert found(verify(broker, "--topic", topic)) == {}
    assert json.loads(verify(broker, "--topic", topic).stdout)["records"] == 20
    admin = AdminClient(kafka_objects.connection(broker.stack, "admin").client_settings())
    groups = admin.list_consumer_groups(request_timeout=60).result().valid
    assert "win-event-verify" not in {group.group_id for group in groups}


def test_an_empty_topic_is_no_success(broker, topics):
    result = run(VERIFY, "--topic", topics[0], env=broker.shell("reader"))
    assert result.returncode == 1
    assert "not one record was read" in result.stdout


def test_errors_name_what_to_do(broker, topics, lines):
    topic, _ = topics
    missing = verify(broker, "--topic", "nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "nowhere" in missing.stderr
    wrong = verify(broker, "--topic", topic, KAFKA_PASSWORD="wrong", KAFKA_PASSWORD_FILE="")
    assert wrong.returncode == 1
    assert "check KAFKA_USERNAME and KAFKA_PASSWORD" in wrong.stderr
    assert "Traceback" not in missing.stderr + wrong.stderr
    produce(broker, topic, lines[:1])
    denied = verify(broker, "--topic", topic, user="bridge")
    assert (denied.returncode, denied.stdout) == (1, "")
    assert "may not read" in denied.stderr
    nobody = run(VERIFY, "--topic", topic, env={"KAFKA_USERNAME": "", "KAFKA_PASSWORD": ""})
    assert nobody.returncode == 2


def test_the_examples_of_its_help_run(broker, topics, producer, tmp_path):
    topic, rejected = topics
    options = ("--count", "1000", "--start-time", "2026-11-21", "--ledger", str(tmp_path / "run.ledger"))
    server = producer("--rate", "max", "--wait-for-clients", "1", *options)
    events = run(BIN / "win-event-tail", f"127.0.0.1:{server.port}", "-n", "1000").stdout
    server.stop()
    (tmp_path / "events.ndjson").write_text(events)
    produce(broker, topic, events.encode().splitlines())
    examples = re.findall(r"^ +(win-event-verify .*)$", run(VERIFY, "--help").stdout, re.MULTILINE)
    here = [example for example in examples if "--kinesis" not in example]  # that server has its own tests
    assert len(here) == 4
    for example in here:
        command = example.replace("events_processed", topic).replace("events_rejected", rejected)
        result = run("bash", "-c", command, cwd=tmp_path, env=broker.shell("reader"), timeout=120)
        assert result.returncode == 0, result.stdout + result.stderr
