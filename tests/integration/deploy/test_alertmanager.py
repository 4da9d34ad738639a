"""A real Alertmanager with the shipped configuration tells an alert to the shipped webhook."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from running import free_ports, wait_until

from local_stack.layout import DEPLOY
from local_stack.observe import find_tool

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
        self._start(opened, self._log, sys.executable, SHIPPED / "receiver.py", "127.0.0.1", receiver)
        options = [f"--config.file={configuration}", f"--storage.path={folder / 'data'}"]
        options += [f"--web.listen-address=127.0.0.1:{manager}", "--cluster.listen-address="]
        self._start(opened, folder / "alertmanager.log", _alertmanager(), *options)
        wait_until(lambda: _answers(self.webhook), "the receiver answers")
        wait_until(lambda: _answers(f"{self.url}/-/ready"), "Alertmanager is ready")

    def _start(self, opened: ExitStack, log: Path, *command: Any) -> None:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command], stdout=output, stderr=output, cwd=_templates()
            )
        opened.callback(process.wait, 60)
        opened.callback(process.send_signal, signal.SIGTERM)

    def told(self) -> list[str]:
        return self._log.read_text().splitlines()


def _alertmanager() -> Path:
    return find_tool("prometheus-alertmanager")


def _templates() -> Path:
    """Where scripts/get-prometheus lets it look for them; an installed one looks elsewhere."""
    beside = _alertmanager().parent.parent / "share" / "prometheus" / "alertmanager"
    return beside if beside.is_dir() else Path.cwd()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=30):
            return True
    except URLError:
        return False


def _post(url: str, body: Any) -> int:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=30) as answer:
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
    """As Prometheus sends them."""
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
