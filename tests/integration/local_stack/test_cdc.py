"""The inventory in PostgreSQL, its changes in Kafka: complete and in order after kills, with few rights."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import oracle
import psutil
import psycopg
import pytest
from asking import ask
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from reading import read_topic
from running import BIN, RunningStack, free_ports, run, wait_until

from local_stack import processes
from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.cdc import connect, database, postgres, status
from local_stack.cdc.inventory import computers, hosts_of
from local_stack.health import peek
from local_stack.layout import DEPLOY, Stack

pytestmark = pytest.mark.integration

GROUP = "win-event-analytics-context"
Change = tuple[str, str, str | None]  # what was done (c, u, d), to which computer, its criticality after that


@dataclass
class Inventory:
    """`made`: every change of table computers, in the order in which they were committed."""

    running: RunningStack
    made: list[Change]

    def change(self, op: str, name: str, criticality: str | None = None) -> None:
        statement = {
            "c": "INSERT INTO computers VALUES (%(name)s, 'server', 'Tokyo', NULL, %(criticality)s)",
            "u": "UPDATE computers SET criticality = %(criticality)s WHERE name = %(name)s",
            "d": "DELETE FROM computers WHERE name = %(name)s",
        }[op]
        with database.open_database(self.running.stack, postgres.OWNER) as connection:
            connection.execute(statement, {"name": name, "criticality": criticality})
        self.made.append((op, name, criticality))

    def changed_at(self, name: str, criticality: str) -> int:
        """Change a computer's criticality; returns the time of the change, in milliseconds."""
        self.change("u", name, criticality)
        rows = database.rows(self.running.stack, "computers")
        (row,) = [row for row in rows if row["name"] == name]
        return round(row["valid_from"].timestamp() * 1000)

    def person(self, name: str) -> tuple[str, bool]:
        (row,) = [row for row in database.rows(self.running.stack, "accounts") if row["name"] == name]
        return row["department"], row["privileged"]

    def told(self) -> list[Change]:
        """Every change in the topic after the snapshot, without the tombstones after deletions."""
        records = read_topic(self.running, "inventory.computers", 0, isolation="read_committed")
        values = [json.loads(record.value) for record in records if record.value]
        return [
            (v["op"], (v["after"] or v["before"])["name"], v["after"] and v["after"]["criticality"])
            for v in values
            if v["op"] != "r"
        ]

    def command(self, *words: str) -> Any:
        return run(BIN / "win-event-stack", "cdc", *words, env=self.running.environment)

    def status(self) -> dict[str, Any]:
        """The status after every row equals its key's newest record; AssertionError if that never happens."""
        answer = self.command("status", "--json", "--wait", "90")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return dict(json.loads(answer.stdout))

    def kill(self, name: str) -> None:
        daemon = processes.running(self.running.stack, name)
        assert daemon is not None
        process = daemon.process()
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait(60)


@pytest.fixture(scope="module")
def inventory(broker: RunningStack) -> Iterator[Inventory]:
    """Started beside the session's broker, with a first snapshot in the topics."""
    postgres_port, connect_port = map(str, free_ports(2))
    ports = ("--postgres-port", postgres_port, "--connect-port", connect_port)
    broker.up("--only", "kafka", "--cdc", *ports)
    yield Inventory(broker, [])
    for name in ("connect", "postgres"):
        if daemon := processes.running(broker.stack, name):
            processes.stop(broker.stack, daemon)
    broker.up("--only", "kafka", "--no-cdc")


def test_the_snapshot_tells_the_computers_of_the_generator(inventory: Inventory) -> None:
    tables = inventory.status()["tables"]
    assert [(table["table"], table["rows"]) for table in tables] == [("computers", 10), ("accounts", 20)]
    records = read_topic(inventory.running, "inventory.computers", 0, isolation="read_committed")
    names = {json.loads(record.value or b"")["after"]["name"] for record in records}
    assert names == {computer.name for computer in computers(hosts_of(1, 10))}


def test_the_containers_make_the_same_inventory(inventory: Inventory, tmp_path: Path) -> None:
    """By the files that docker-compose.yml gives to PostgreSQL and to Connect, with any passwords."""
    given, sql, secrets = (tmp_path / name for name in ("given", "sql", "secrets"))
    given.mkdir()
    for name in ("connect", "inventory", "inventory_connect"):
        (given / name).write_text(f'of "{name}" \\ \'=1\n')
    words = (given, DEPLOY / "postgres" / "inventory.sql", sql, secrets, "1", "10")
    made = run(sys.executable, "-m", "local_stack.cdc.container_files", *words)
    assert made.returncode == 0, made.stderr
    assert (secrets / "connect").read_text() == 'of \\"connect\\" \\\\ \'=1'  # between the quotes of JAAS
    stack = Stack(tmp_path / "stack", postgres_port=free_ports(1)[0], run_id=uuid.uuid4().hex)
    postgres.start_postgres(stack)
    try:
        wait_until(lambda: _answers(stack), "the database is ready")
        with database.open_database(stack, postgres.SUPER_USER, "postgres") as connection:
            connection.execute("CREATE DATABASE inventory")
        where = ("-h", "127.0.0.1", "-p", str(stack.postgres_port), "-U", postgres.SUPER_USER)
        options = (*where, "-d", "inventory", "-q", "-v", "ON_ERROR_STOP=1", "-f", sql / "inventory.sql")
        login = {"PGPASSWORD": postgres.secret(stack, postgres.SUPER_USER).read_text()}
        loaded = run(postgres.program("psql"), *options, env=login)
        assert (loaded.returncode, loaded.stderr) == (0, "")
        found = {}
        for role, file in (("inventory", "inventory"), ("connect", "inventory_connect")):
            password = (secrets / file if role == "connect" else given / file).read_text().rstrip("\n")
            address = {"host": "127.0.0.1", "port": stack.postgres_port, "dbname": "inventory", "user": role}
            with psycopg.connect(**address, password=password) as connection:
                found[role] = connection.execute("SELECT * FROM inventory.accounts ORDER BY name").fetchall()
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(**address, password=password + "x")
    finally:
        for daemon in processes.recorded(stack):
            processes.stop(stack, daemon)
    with database.open_database(inventory.running.stack, postgres.OWNER) as connection:
        here = connection.execute("SELECT * FROM accounts ORDER BY name").fetchall()
    assert found == {"inventory": here, "connect": here}


def _answers(stack: Stack) -> bool:
    try:
        database.open_database(stack, postgres.SUPER_USER, "postgres").close()
    except processes.StartError:
        return False
    return True


def test_registering_the_connector_again_changes_nothing(inventory: Inventory, tmp_path: Path) -> None:
    """Set up the connector as the container `connector` does at each start."""
    stack = inventory.running.stack
    file = tmp_path / "inventory.json"
    file.write_text(connect.with_folders_of(stack, (DEPLOY / "connect" / "inventory.json").read_text()))
    before = _told(stack)
    result = run(sys.executable, "-m", "local_stack.cdc.rest", stack.connect_url, file)
    assert (result.returncode, result.stderr) == (0, "")
    assert _told(stack) == before
    nowhere = run(sys.executable, "-m", "local_stack.cdc.rest", "http://127.0.0.1:1", file)
    assert nowhere.returncode == 1
    assert nowhere.stderr.startswith("error: Kafka Connect does not answer on http://127.0.0.1:1")


def _told(stack: Stack) -> Any:
    """The connector and its task, with the states that Connect reports."""
    with urlopen(f"{stack.connect_url}/connectors/inventory", timeout=60) as answer:
        told = json.load(answer)
    with urlopen(f"{stack.connect_url}/connectors/inventory/tasks", timeout=60) as answer:
        return told, json.load(answer)


def test_kills_lose_nothing_double_nothing_and_keep_the_order(inventory: Inventory) -> None:
    """While rows are changed, the worker is killed, then the database."""
    inventory.change("c", "NEW-1", "low")
    stop = threading.Event()
    writer = threading.Thread(target=_change_on, args=(inventory, stop))
    writer.start()
    try:
        wait_until(lambda: len(inventory.told()) > 20, "the first changes are in the topic")
        inventory.kill("connect")
        seen = len(inventory.told())
        wait_until(lambda: len(inventory.told()) > seen, "the watchdog has started it again")
    finally:
        stop.set()
        writer.join(60)
    inventory.change("u", "WS-001.corp.example", "critical")
    inventory.kill("postgres")
    wait_until(lambda: _answers(inventory.running.stack), "the watchdog has started it again")
    inventory.change("d", "NEW-1")
    inventory.status()
    assert inventory.told() == inventory.made


def _change_on(inventory: Inventory, stop: threading.Event) -> None:
    """An update, an insertion and a deletion, again and again."""
    for number in range(10_000):
        if stop.is_set():
            return
        inventory.change("u", "NEW-1", ("medium", "high")[number % 2])
        inventory.change("c", f"TEMP-{number}", "low")
        inventory.change("d", f"TEMP-{number}")
        time.sleep(0.1)


def test_database_and_worker_listen_on_loopback_only(inventory: Inventory) -> None:
    """Connect's REST API has no password."""
    stack = inventory.running.stack
    daemons = [processes.running(stack, name) for name in ("postgres", "connect")]
    found = {
        connection.laddr[:2]
        for daemon in daemons
        if daemon and (process := daemon.process())
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {port for _, port in found} >= {stack.postgres_port, stack.connect_port}
    assert {host for host, _ in found} <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_what_differs_is_named(inventory: Inventory) -> None:
    """While the worker is stopped, rows and topic become different."""
    daemon = processes.running(inventory.running.stack, "connect")
    process = daemon and daemon.process()
    assert process is not None
    process.suspend()
    try:
        inventory.change("u", "WS-002.corp.example", "medium")
        inventory.change("c", "NEW-2", "low")
        found = status.compared(inventory.running.stack, "computers")
        assert (found.missing, found.surplus, found.different) == (("NEW-2",), (), ("WS-002.corp.example",))
    finally:
        process.resume()
    inventory.status()
    assert inventory.told() == inventory.made


def test_a_truncation_which_no_topic_would_tell_is_refused(inventory: Inventory) -> None:
    refused = pytest.raises(psycopg.errors.RaiseException, match="use DELETE")
    with database.open_database(inventory.running.stack, postgres.OWNER) as connection, refused:
        connection.execute("TRUNCATE computers")


def test_a_reset_begins_with_a_snapshot_of_what_is_there(inventory: Inventory) -> None:
    answer = inventory.command("reset")
    assert answer.returncode == 0, answer.stderr
    tables = inventory.status()["tables"]
    assert [table["records"] for table in tables] == [table["rows"] for table in tables]
    inventory.made.clear()
    inventory.change("u", "WS-003.corp.example", "high")
    inventory.status()
    assert inventory.told() == inventory.made


def test_an_alert_carries_the_criticality_of_its_own_time(inventory: Inventory, stack: RunningStack) -> None:
    """One alert before a change of its computer and one after it; then again, while the job runs."""
    events, _ = stack.create_topics("context", with_results=True)
    own = [f"{name}={name}_context" for name in ("alerts", "alerts_in_context")]
    options = [word for pair in own for word in ("--result-topic", pair)]
    options += ["--idle-timeout", "1", "--checkpoint-interval", "1", "--transactional-id-prefix", GROUP]
    job = ask(stack, "alerts_in_context", "--kafka-topic", events, *options)
    try:
        computer, account = "WS-005.corp.example", "f.costa"
        changed = inventory.changed_at(computer, "critical")
        _tell(stack, [_alert(computer, changed - 2_000), _alert(computer, changed + 2_000)])
        _tell(stack, [_detected(computer, account, changed + 3_000), _alert("203.0.113.9", changed)])
        _wait_until_read(inventory)
        _tell_time(stack, events, changed + 120_000)
        rows = wait_until(lambda: _found(stack, 4), "four alerts", told=job.failures)
        assert rows[computer, changed - 2_000]["criticality"] == "low"
        assert rows[computer, changed + 2_000]["criticality"] == "critical"
        seen = rows[computer, changed + 3_000]
        assert (seen["criticality"], seen["role"], seen["account"]) == ("critical", "workstation", account)
        assert (seen["department"], seen["privileged"]) == inventory.person(account)
        assert rows["203.0.113.9", changed]["criticality"] is None

        again = inventory.changed_at(computer, "medium")
        inventory.change("d", "WS-006.corp.example")
        _tell(stack, [_alert(computer, again - 1), _alert(computer, again + 200_000)])
        _tell(stack, [_alert("WS-006.corp.example", again + 200_000)])
        _wait_until_read(inventory)
        _tell_time(stack, events, again + 400_000)
        rows = wait_until(lambda: _found(stack, 7), "seven alerts", told=job.failures)
        assert rows[computer, again - 1]["criticality"] == "critical"
        assert rows[computer, again + 200_000]["criticality"] == "medium"
        assert rows["WS-006.corp.example", again + 200_000]["criticality"] is None  # it is there no more
    finally:
        job.cancel()
        # Its newest time is minutes ahead of the clock, of which `doctor` would tell the next test.
        admin = AdminClient(kafka_objects.connection(stack.stack, SUPER_USER).client_settings())
        admin.delete_topics([events])[events].result(60)


def _alert(subject: str, last: int) -> dict[str, Any]:
    """An alert as analytics writes it; `last` is in milliseconds."""
    times = {"first": oracle.iso(last), "last": oracle.iso(last)}
    return {
        "rule": "error_burst",
        "subject": subject,
        **times,
        "events": 50,
        "accounts": None,
        "kind": "errors",
    }


def _detected(computer: str, account: str, last: int) -> dict[str, Any]:
    """An alert as detection writes it."""
    group = {"Computer": computer, "TargetUserName": account}
    times = {"first": oracle.iso(last), "last": oracle.iso(last)}
    return {
        "id": f"{last}",
        "rule_id": "rogue",
        "title": "",
        "level": "high",
        "group": group,
        **times,
        "count": 1,
    }


def _tell(stack: RunningStack, alerts: list[dict[str, Any]]) -> None:
    producer = Producer(kafka_objects.connection(stack.stack, "analytics").client_settings())
    for alert in alerts:
        producer.produce("alerts_context", json.dumps(alert), key=json.dumps(alert["first"]))
    assert producer.flush(60) == 0


def _wait_until_read(inventory: Inventory) -> None:
    """The time of the test jumps by minutes: the changes before that must have arrived in the job."""
    inventory.status()
    stack = inventory.running.stack
    (last,) = peek.newest(stack, "inventory.computers", 1)
    login = kafka_objects.connection(stack, "analytics").client_settings()
    consumer = Consumer({**login, "group.id": GROUP, "enable.auto.commit": False})
    place = [TopicPartition("inventory.computers", 0)]
    wait_until(lambda: consumer.committed(place, timeout=60)[0].offset > last.offset, "a checkpoint has it")
    consumer.close()


def _tell_time(stack: RunningStack, topic: str, milliseconds: int) -> None:
    producer = Producer(kafka_objects.connection(stack.stack, "bridge").client_settings())
    producer.produce(topic, "{}", timestamp=milliseconds)
    assert producer.flush(60) == 0


def _found(stack: RunningStack, count: int) -> dict[tuple[str, int], Any] | None:
    """(computer, `last`) -> row, after so many rows have come."""
    values = [json.loads(r.value) for r in read_topic(stack, "alerts_in_context_context", 0)]
    rows = {(v["computer"], _milliseconds(v["last"])): v for v in values}
    return rows if len(rows) >= count else None


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def test_the_reader_of_changes_may_do_nothing_else(inventory: Inventory) -> None:
    for statement in (
        "UPDATE inventory.computers SET criticality = 'low'",
        "DELETE FROM inventory.accounts",
        "CREATE TABLE mine (a INT)",
        "CREATE TABLE inventory.mine (a INT)",
        "ALTER PUBLICATION inventory DROP TABLE inventory.accounts",
        "SELECT * FROM pg_authid",
    ):
        refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
        with database.open_database(inventory.running.stack, postgres.READER) as connection, refused:
            connection.execute(statement)


def test_no_password_is_in_a_log_a_configuration_or_a_command_line(inventory: Inventory) -> None:
    stack = inventory.running.stack
    files = [*(postgres.secret(stack, role) for role in postgres.ROLES), stack.secrets / "connect"]
    passwords = [file.read_text() for file in files]
    seen = [(stack.logs / f"{name}.log").read_text(errors="replace") for name in ("connect", "postgres")]
    for path in ("", "/config", "/tasks"):
        with urlopen(f"{stack.connect_url}/connectors/inventory{path}", timeout=60) as answer:
            seen.append(answer.read().decode())
    for daemon in processes.recorded(stack):
        process = daemon.process()
        assert process is not None
        seen.append(" ".join(process.cmdline()))
    seen += [file.read_text() for file in (stack.cdc_directory / "connect").glob("*.properties")]
    assert not [password for password in passwords if any(password in text for text in seen)]
    assert not any(file.stat().st_mode & 0o077 for file in files)
