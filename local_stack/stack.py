"""Starts and stops the whole stack: jars, passwords, broker, topics and users, Flink."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from kafka_setup.connection.security import DEFAULT_MECHANISM
from local_stack import cache, console, observe, processes, shell_environment, watchdog
from local_stack.broker import broker
from local_stack.broker.kafka_objects import apply_topology, stack_topology, wait_for_brokers
from local_stack.broker.stack_passwords import ensure_passwords, write_logins
from local_stack.cdc.start import start_cdc
from local_stack.cluster import cluster, flink_java, sql_gateway
from local_stack.jars import jars, shared_classes
from local_stack.layout import Stack, load_stack

PARTS = ("kafka", "flink")
_CLASS_PATHS = {"kafka": broker.class_path, "flink": flink_java.class_path}


class Reporter(Protocol):
    """The progress messages of the stack; the command line decides how to show them."""

    def doing(self, what: str) -> None: ...

    def done(self, what: str) -> None: ...


def up(stack: Stack, parts: tuple[str, ...], reporter: Reporter) -> Stack:
    """Start the parts that do not run yet; returns the running stack.

    If a step fails or is interrupted, the parts that this call started are stopped. Raises StartError,
    JarError, LayoutError.
    """
    with processes.exclusive(stack):
        stack = stack if stack.run_id else replace(stack, run_id=uuid.uuid4().hex)
        already = {daemon.name for daemon in processes.recorded(stack) if daemon.process()}
        if stack.observe:
            reporter.doing("looking for prometheus")
            observe.find_tool("prometheus")
        stack.save()
        try:
            users = [user.name for user in stack_topology(stack).users]
            ensure_passwords(stack.secrets, users)
            write_logins(stack, users)
            shell_environment.write_tools(stack)
            if "kafka" in parts:
                _up_kafka(stack, reporter)
            if "flink" in parts:
                _up_flink(stack, reporter)
                if stack.sql:
                    _up_sql(stack, reporter)
            if stack.cdc:
                start_cdc(stack, _fetch("cdc", stack, reporter), reporter)
                if processes.running(stack, watchdog.NAME) is None:
                    watchdog.start_watchdog(stack)
            if stack.observe:
                _up_observers(stack, reporter)
            if stack.cache:
                _up_cache(stack, reporter)
            if stack.console:
                _up_console(stack, reporter)
        except BaseException:
            processes.stop_all(stack, keep=already)
            raise
    return stack


def down(stack: Stack, wipe: bool) -> list[str]:
    """Stop every process of the stack; with `wipe` remove its data, passwords and logs.

    The jars stay, and other files in the folder, too. Returns the names of the parts that were running.
    """
    stopped = processes.stop_all(stack)
    if wipe:
        demo = load_stack(stack.demo)
        if not any(daemon.process() for daemon in processes.recorded(demo)):
            _wipe(demo)
            with contextlib.suppress(OSError):  # there is none, or it has other contents
                demo.directory.rmdir()
        _wipe(stack)
    return stopped


def _wipe(stack: Stack) -> None:
    for path in stack.parts:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def prepare(part: str, stack: Stack, reporter: Reporter) -> None:
    """Fetch the jars of broker ("kafka") or cluster ("flink"), and make the archive of their classes."""
    _fetch(part, stack, reporter)
    shared_classes.make(part, _CLASS_PATHS[part](stack), stack.jars, reporter.doing)


def _up_kafka(stack: Stack, reporter: Reporter) -> None:
    prepare("kafka", stack, reporter)
    if stack.observe:
        _fetch("observe", stack, reporter)
    missing = [n for n in stack.broker_numbers if not processes.running(stack, broker.name(n))]
    one = stack.brokers == 1
    who = "Kafka broker" if one else f"{stack.brokers} Kafka brokers"
    if not missing:
        reporter.done(f"{who} {'is' if one else 'are'} already running on {stack.bootstrap_servers}")
    else:
        reporter.doing(f"starting {', '.join(map(broker.name, missing))}")
        broker.start_brokers(stack, missing)
        wait_for_brokers(stack)
        reporter.done(
            f"{who} ready on {stack.bootstrap_servers} ({stack.security_protocol}, {DEFAULT_MECHANISM}, ACLs)"
        )
    reporter.doing("creating topics, users and permissions")
    for line in apply_topology(stack):
        reporter.done(line)


def _up_flink(stack: Stack, reporter: Reporter) -> None:
    prepare("flink", stack, reporter)
    if processes.running(stack, "jobmanager") is None:
        reporter.doing("starting the Flink cluster")
        cluster.start_cluster(stack, _fetch("s3", stack, reporter) if stack.s3 else [])
        watchdog.start_watchdog(stack)
        reporter.done(f"Flink cluster ready on {stack.flink_url} ({stack.taskmanagers} TaskManager(s))")
        return
    reporter.done(f"Flink JobManager is already running on {stack.flink_url}")
    for number in range(1, stack.taskmanagers + 1):
        if processes.running(stack, f"taskmanager-{number}") is None:
            reporter.doing(f"starting TaskManager {number}")
            cluster.start_taskmanager(stack, number)
            cluster.wait_for_taskmanagers(stack)
            reporter.done(f"TaskManager {number} ready")
    if processes.running(stack, watchdog.NAME) is None:
        watchdog.start_watchdog(stack)


def _up_sql(stack: Stack, reporter: Reporter) -> None:
    if processes.running(stack, sql_gateway.NAME):
        reporter.done(f"SQL Gateway is already running on {stack.sql_url}")
        return
    gateway = _fetch("sql", stack, reporter)
    reporter.doing("starting Flink's SQL Gateway")
    sql_gateway.start_gateway(stack, gateway)
    reporter.done(f"SQL Gateway ready on {stack.sql_url}; win-event-stack sql opens a client")


def _up_observers(stack: Stack, reporter: Reporter) -> None:
    reporter.doing("starting Prometheus")
    observe.start_observers(stack)
    reporter.done(f"Prometheus ready on {observe.url(stack)}")
    reporter.done(observe.grafana_advice(stack))


def _up_cache(stack: Stack, reporter: Reporter) -> None:
    if processes.running(stack, cache.NAME) is None:
        reporter.doing("starting the cache")
        cache.start_cache(stack)
    reporter.done(f"cache ready on {stack.cache_url}")


def _up_console(stack: Stack, reporter: Reporter) -> None:
    if processes.running(stack, console.NAME) is None:
        reporter.doing("starting the console")
        console.start_console(stack)
    reporter.done(f"console on {stack.console_url}")


def _fetch(section: str, stack: Stack, reporter: Reporter) -> list[Path]:
    total = len(jars.read_lock(section))
    fresh = not all((stack.jars / jar.file_name).exists() for jar in jars.read_lock(section))
    paths = jars.fetch(section, stack.jars, _counting(reporter, section, fresh))
    if fresh:
        reporter.done(f"{section}: {total} jar(s) fetched and verified")
    return paths


def _counting(reporter: Reporter, section: str, fresh: bool) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if fresh:
            reporter.doing(f"{section}: fetching jars, {done} of {total}")

    return progress
