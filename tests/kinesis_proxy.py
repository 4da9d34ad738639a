"""Stands before a Kinesis endpoint and refuses some records of a PutRecords request, as a full shard does."""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_FULL = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}


class Refusing(ThreadingHTTPServer):
    """`share` of the records and of whole requests are refused; `requests`: the keys of each.

    After `whole_requests` of them it refuses all.
    """

    daemon_threads = True

    def __init__(self, endpoint: str, share: float, whole_requests: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoint, self.share, self.dice = endpoint, share, random.Random(7)
        self.whole_requests = whole_requests
        self.requests: list[list[str]] = []
        self.refused = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def pass_on(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            with urlopen(Request(self.endpoint, body, headers), timeout=60) as answer:
                return 200, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    def put_records(self, asked: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        """Only what is not refused reaches the stream; the answer is in the order of the request."""
        records = asked["Records"]
        self.requests.append([record["PartitionKey"] for record in records])
        if self.dice.random() < self.share / 4 or len(self.requests) > self.whole_requests:
            self.refused += len(records)
            return 400, json.dumps({"__type": _FULL["ErrorCode"], "message": "Rate exceeded"}).encode()
        taken = [self.dice.random() >= self.share for _ in records]
        self.refused += taken.count(False)
        passed = [record for record, wanted in zip(records, taken, strict=True) if wanted]
        answers: Iterator[Any] = iter(())
        if passed:
            status, body = self.pass_on(json.dumps({**asked, "Records": passed}).encode(), headers)
            assert status == 200, body
            answers = iter(json.loads(body)["Records"])
        told = [next(answers) if wanted else _FULL for wanted in taken]
        return 200, json.dumps({"FailedRecordCount": taken.count(False), "Records": told}).encode()


class _Handler(BaseHTTPRequestHandler):
    server: Refusing
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: self.headers[name] for name in ("Content-Type", "X-Amz-Target", "Authorization")}
        if self.headers["X-Amz-Target"].endswith(".PutRecords"):
            status, answer = self.server.put_records(json.loads(body), headers)
        else:
            status, answer = self.server.pass_on(body, headers)
        self.send_response(status)
        self.send_header("Content-Type", self.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Writes no log."""


@contextmanager
def refusing(endpoint: str, share: float, whole_requests: float = math.inf) -> Iterator[Refusing]:
    with Refusing(endpoint, share, whole_requests) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()
