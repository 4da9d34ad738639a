"""Alerts, rules and dashboards, checked by promtool; where they are measured: tests/integration/deploy."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from containers import load_compose
from prometheus_client import generate_latest
from promql import ALERTS, DASHBOARDS, dashboard_expressions, metrics, rules
from running import run

from kafka_setup.cluster_facts import ClusterFacts
from kafka_setup.metrics import registry
from kafka_setup.topology.file import load_topology
from local_stack.layout import DEPLOY, Stack
from local_stack.observe import find_tool, local_configuration, targets

pytestmark = pytest.mark.programs

PROMETHEUS = DEPLOY / "prometheus"
TESTS = PROMETHEUS / "alerts.test.yml"
ROWS = {
    "analytics": ["Analytics", "Answers", "Time", "Work"],
    "business": ["Now", "Logons", "Alerts"],
    "infrastructure": ["Machine", "Processes", "Disk"],
    "pipeline": ["Pipeline", "Producer", "Bridge (Flink)", "Kafka", "Consumers", "Monitoring"],
}
WANTED_ALERTS = {
    "BridgeNotRunning",
    "NoEvents",
    "EventsRejected",
    "ConsumerLagGrowing",
    "CheckpointTooOld",
    "LatencyHigh",
    "EventGap",
    "EndpointSilent",
    "JobRestarts",
    "TaskManagerLost",
    "MemoryHigh",
}


def _promtool(*words: str | Path) -> None:
    result = run(find_tool("promtool"), *words)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_configuration_is_valid() -> None:
    # Without a look for the files that only a container has.
    _promtool("check", "config", "--syntax-only", PROMETHEUS / "prometheus.yml")


def test_the_alerts_do_what_they_say() -> None:
    _promtool("test", "rules", TESTS)


def test_alertmanager_takes_its_configuration_and_sends_every_alert_to_the_webhook() -> None:
    amtool, file = find_tool("amtool"), DEPLOY / "alertmanager" / "alertmanager.yml"
    checked = run(amtool, "check-config", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for labels in ("severity=critical", "severity=warning"):
        routed = run(amtool, "config", "routes", "test", f"--config.file={file}", labels)
        assert routed.stdout.strip() == "webhook", routed.stderr


def test_what_follows_from_another_alert_is_an_alert_that_exists() -> None:
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    shipped = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    texts = [text for rule in shipped["inhibit_rules"] for each in rule.values() for text in each]
    named = {name for text in texts for name in re.findall(r"[A-Z]\w+", text)}
    assert named
    assert named <= alerts


def test_every_alert_is_tested_and_says_what_to_do() -> None:
    alerts = {rule["alert"]: rule for rule in rules() if "alert" in rule}
    loud = ("NoEvents", "EndpointSilent", "EventGap", "JobRestarts", "TaskManagerLost", "BridgeNotRunning")
    assert {alerts[name]["labels"]["severity"] for name in loud} == {"critical"}
    cases = yaml.safe_load(TESTS.read_text())["tests"]
    fired = {
        check["alertname"]
        for case in cases
        for check in case.get("alert_rule_test", [])
        if check["exp_alerts"]
    }
    assert alerts.keys() >= WANTED_ALERTS
    assert fired == alerts.keys()
    assert all(set(rule["annotations"]) == {"summary", "action"} for rule in alerts.values())


def test_the_limits_are_those_of_the_containers() -> None:
    """All jobs that report their memory by the usual names: all but Flink, which has its own names."""
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    hosts = {job["job_name"]: _host(job).replace("localhost", "prometheus") for job in jobs}
    services = load_compose()["services"]
    wanted = {
        job: services[host]["deploy"]["resources"]["limits"]["memory"].replace("1G", "1024M")
        for job, host in hosts.items()
        if host not in ("jobmanager", "taskmanager")
    }
    rules = yaml.safe_load((PROMETHEUS / "limits.yml").read_text())["groups"][0]["rules"]
    found = {rule["labels"]["process"]: rule["expr"] for rule in rules}
    assert found == {job: f"vector({memory[:-1]} * 2^20)" for job, memory in wanted.items()}


def _host(job: dict[str, Any]) -> str:
    """The service of docker-compose.yml that a job of Prometheus scrapes."""
    where = job.get("static_configs") or job["dns_sd_configs"]
    return str((where[0].get("targets") or where[0]["names"])[0]).split(":")[0]


def test_every_panel_is_valid_promql(tmp_path: Path) -> None:
    panels = [
        {"record": f"panel:{number}", "expr": expression}
        for number, (_, expression) in enumerate(dashboard_expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": panels}]}))
    assert len(panels) > 30
    _promtool("check", "rules", file)


def test_dashboards_use_the_provisioned_source_and_have_a_row_a_component() -> None:
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    uid = source["datasources"][0]["uid"]
    assert DASHBOARDS
    for file in DASHBOARDS:
        dashboard = json.loads(file.read_text())
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert {p["datasource"]["uid"] for p in panels if p["type"] != "row"} == {uid}
        assert [panel["title"] for panel in panels if panel["type"] == "row"] == ROWS[file.stem]


def test_metric_names_are_found_in_expressions() -> None:
    found = metrics('sum by (a) (rate(b_total{c="d"}[1m])) > 1 and on (e) up == bool f:g:h offset 5m')
    assert found == {"b_total", "up", "f:g:h"}


def test_every_job_has_a_target_on_this_machine(tmp_path: Path) -> None:
    shipped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    local = local_configuration(shipped, targets(Stack(tmp_path, taskmanagers=2)))
    static = {job["job_name"]: job["static_configs"][0]["targets"] for job in local["scrape_configs"]}
    assert len(static["taskmanager"]) == 2
    everything = [target for found in static.values() for target in found]
    assert len(set(everything)) == len(everything)
    assert all(target.startswith("127.0.0.1:") for target in everything)
    assert ALERTS.name in local["rule_files"]
    assert os.sep not in ALERTS.name


def test_no_alert_and_no_panel_names_a_topic() -> None:
    shipped = {topic.name for topic in load_topology().topics}
    texts = [ALERTS.read_text(), *(file.read_text() for file in DASHBOARDS)]
    assert not [name for name in shipped for text in texts if f'"{name}"' in text]


def test_the_roles_of_topics_are_a_metric() -> None:
    facts = ClusterFacts(1, (), ())
    page = generate_latest(registry(lambda: facts, {"soc.windows": "events"})).decode()
    assert 'win_event_topic_role{role="events",topic="soc.windows"} 1.0' in page
