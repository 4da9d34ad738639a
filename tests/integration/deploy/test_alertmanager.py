"""A rule fires in a real Prometheus, and a real Alertmanager sends the alert to the shipped webhook."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
import yaml
from running import RunningProducer, free_ports, wait_until

from local_stack.layout import DEPLOY
from local_stack.observe import find_tool, local_configuration

pytestmark = pytest.mark.integration

SHIPPED = DEPLOY / "alertmanager"


class Alerting:
    """Both programs on free ports; `told()` are the receiver's lines."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        manager, receiver = free_ports(2)
        self.url, self.webhook = f"http://127.0.0.1:{manager}", f"http://127.0.0.1:{receiver}/"
        self._log = folder / "receiver.log"
        text = (SHIPPED / "alertmanager.yml").read_text()
        assert "http://alert-receiver:9095/" in text
        configuration = folder / "alertmanager.yml"
        configuration.write_text(text.replace("http://alert-receiver:9095/", self.webhook))
        start(opened, self._log, sys.executable, SHIPPED / "receiver.py", "127.0.0.1", receiver)
        options = [f"--config.file={configuration}", f"--storage.path={folder / 'data'}"]
        options += [f"--web.listen-address=127.0.0.1:{manager}", "--cluster.listen-address="]
        start(opened, folder / "alertmanager.log", _alertmanager(), *options)
        wait_until(lambda: _answers(self.webhook), "the receiver answers")
        wait_until(lambda: _answers(f"{self.url}/-/ready"), "Alertmanager is ready")

    def told(self) -> list[str]:
        return self._log.read_text().splitlines()


def start(opened: ExitStack, log: Path, *command: Any) -> None:
    with log.open("wb") as output:
        words = [str(word) for word in command]
        process = subprocess.Popen(words, stdout=output, stderr=output, cwd=_templates())
    opened.callback(process.wait, 60)
    opened.callback(process.send_signal, signal.SIGTERM)


def _alertmanager() -> Path:
    return find_tool("prometheus-alertmanager")


def _templates() -> Path:
    """The place that scripts/get-prometheus sets; an installed Prometheus uses another place."""
    beside = _alertmanager().parent.parent / "share" / "prometheus" / "alertmanager"
    return beside if beside.is_dir() else Path.cwd()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=60):
            return True
    except OSError:
        return False


def _post(url: str, body: Any) -> int:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


@pytest.fixture(scope="module")
def alerting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerting]:
    with ExitStack() as opened:
        yield Alerting(tmp_path_factory.mktemp("alerting"), opened)


def _alert(name: str, severity: str, summary: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, "severity": severity}, "annotations": {"summary": summary}}


def test_alerts_reach_the_webhook_and_what_follows_from_another_does_not(alerting: Alerting) -> None:
    """Alerts as Prometheus sends them."""
    alerts = f"{alerting.url}/api/v2/alerts"
    assert _post(alerts, [_alert("BridgeNotRunning", "critical", "No bridge job is running.")]) == 200
    wait_until(lambda: alerting.told(), "a critical alert is told")
    assert alerting.told() == ["firing BridgeNotRunning critical: No bridge job is running."]
    follows = _alert("NoEvents", "critical", "No event was written to Kafka for 60 s.")
    memory = _alert("MemoryHigh", "warning", "91% of this machine's memory\nis in use.")
    assert _post(alerts, [follows, memory]) == 200
    wait_until(lambda: len(alerting.told()) > 1, "a warning is told a little later")
    assert alerting.told()[1:] == ["firing MemoryHigh warning: 91% of this machine's memory\\nis in use."]


def test_what_is_no_message_of_alertmanager_is_refused(alerting: Alerting) -> None:
    before = alerting.told()
    assert _post(alerting.webhook, {"alerts": [{"labels": {}}]}) == 400
    assert _post(alerting.webhook, ["no", "object"]) == 400
    large = HTTPConnection(urlsplit(alerting.webhook).netloc, timeout=60)
    large.putrequest("POST", "/")
    large.putheader("Content-Length", str(2**20 + 1))
    large.endheaders()
    assert large.getresponse().status == 413
    large.close()
    assert alerting.told() == before


def _lose_the_place_of_a_reader(producer: RunningProducer) -> None:
    """A client that does not read, until the producer's log no longer has its next event."""
    with socket.socket() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", producer.port))
        wait_until(lambda: "too slow" in producer.text(), "the producer gives up the client")


def test_a_rule_that_fires_in_prometheus_reaches_the_webhook(alerting: Alerting, tmp_path: Path) -> None:
    """This test is the last: Prometheus soon notices that no bridge runs, and alerts about that, too."""
    http_port, prometheus = free_ports(2)
    shipped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    wanted = local_configuration(shipped, {"producer": [f"127.0.0.1:{http_port}"]})
    wanted["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    wanted["rule_files"] = [str(DEPLOY / "prometheus" / "alerts.yml")]
    manager = urlsplit(alerting.url).netloc
    wanted["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]}
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(wanted))
    options = [f"--config.file={configuration}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    options += [f"--web.listen-address=127.0.0.1:{prometheus}"]
    events = ("--rate", "2000", "--retain-bytes", "65536", "--http-port", str(http_port))
    with ExitStack() as opened:
        producer = RunningProducer(tmp_path, *events)
        opened.callback(producer.stop)
        start(opened, tmp_path / "prometheus.log", find_tool("prometheus"), *options)
        _lose_the_place_of_a_reader(producer)
        gap = "A reader lost its place in the producer's log (too slow): events may be missing."
        wait_until(lambda: f"firing EventGap critical: {gap}" in alerting.told(), "the webhook is told")
