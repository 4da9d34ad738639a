"""A webhook for Alertmanager, as an example: one line on standard output for each alert.

`python receiver.py HOST PORT`. What it gets: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BYTES = 1024 * 1024


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a slow request

    def do_GET(self) -> None:
        self._answer(200)  # for health checks

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BYTES:
            self._answer(413)
            return
        try:
            for alert in json.loads(self.rfile.read(int(length)))["alerts"]:
                labels, notes = alert["labels"], alert["annotations"]
                text = f"{alert['status']} {labels['alertname']} {labels.get('severity', '')}".strip()
                # Labels may contain anything, even a line break.
                print(json.dumps(f"{text}: {notes.get('summary', '')}", ensure_ascii=True)[1:-1], flush=True)
        except (KeyError, TypeError, ValueError):
            self._answer(400)
            return
        self._answer(200)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Receiver).serve_forever()
