"""win-event-verify over an archive: folders by day, hour and channel, complete parts only, also in S3."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import orjson
import pytest
from aws import moto_thread
from click.testing import CliRunner

from consumer.verify_cli import main


@pytest.fixture
def archive(tmp_path, lines):
    """The run as Flink writes it: two parts an hour and channel, and some that are not finished."""
    parts = defaultdict(list)
    for number, line in enumerate(lines):
        event = orjson.loads(line)
        hour = event["timestamp"][11:13]
        parts[f"day=2026-11-21/hour={hour}/channel={event['source']}/part-{number % 2}"].append(line)
    for name, content in parts.items():
        path = tmp_path / "archive" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(line + b"\n" for line in content))
        (path.parent / f".{path.name}.inprogress.1").write_bytes(content[0] + b"\n" + content[1][:30])
    (tmp_path / "archive" / "_SUCCESS").write_bytes(b"")
    return tmp_path / "archive"


def verify(*options):
    result = CliRunner().invoke(main, ["--json", *map(str, options)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result, orjson.loads(result.stdout) if result.stdout else {}


def test_a_whole_archive_is_ok(archive, ended):
    for judge in ((), ("--ledger", ended)):
        result, report = verify("--file", archive, *judge)
        assert (result.exit_code, report["records"], report["distinct"]) == (0, 400, 400), result.stderr


def test_what_a_part_lost_or_doubled_is_named_with_its_place(archive, ended):
    part = sorted(archive.glob("*/*/channel=Security/part-1"))[0]
    content = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(b"".join([*content[:10], *content[11:], content[3]]))
    result, report = verify("--file", archive, "--ledger", ended)
    assert (result.exit_code, report["lost"], report["duplicated"]) == (1, 1, 1)
    assert f"{part.relative_to(archive)} line {len(content)}" in result.stderr


def test_a_part_that_is_missing_is_lost(archive, ended):
    part = sorted(archive.glob("*/*/channel=System/part-0"))[0]
    events = len(part.read_bytes().splitlines())
    part.unlink()
    result, report = verify("--file", archive, "--ledger", ended)
    assert (result.exit_code, report["lost"]) == (1, events)


@pytest.mark.parametrize(
    ("name", "message"),
    [(".part-0.inprogress", "no complete part is in it"), ("part-0.parquet", "is Parquet")],
)
def test_what_cannot_be_audited_is_said(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"x")
    result, _ = verify("--file", tmp_path)
    assert (result.exit_code, message in result.stderr) == (1, True)


def test_a_path_that_is_not_there_is_usage(tmp_path):
    result, _ = verify("--file", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_an_archive_in_s3(archive, ended, monkeypatch):
    with moto_thread() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        client = boto3.client("s3")
        client.create_bucket(Bucket="events")
        for path in archive.rglob("*"):
            if path.is_file():
                client.put_object(
                    Bucket="events", Key=f"archive/{path.relative_to(archive)}", Body=path.read_bytes()
                )
        result, report = verify("--file", "s3://events/archive", "--ledger", ended)
        assert (result.exit_code, report["distinct"]) == (0, 400), result.stderr
        result, _ = verify("--file", "s3://nowhere/archive")
        assert result.exit_code == 1
        assert "cannot list s3://nowhere/archive" in result.stderr


class _Cut(BaseHTTPRequestHandler):
    """An S3 server with one part, that hangs up in the middle of it."""

    def do_GET(self):
        page = (
            b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>part-0</Key><Size>9000</Size>"
            b"</Contents></ListBucketResult>"
        )
        listing = "list-type" in self.path
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)) if listing else "9000")
        self.end_headers()
        self.wfile.write(page if listing else b'{"n":1}\n')
        self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def cutting_server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Cut)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_part_that_breaks_off_is_named(monkeypatch, ended):
    with cutting_server() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        result, _ = verify("--file", "s3://events", "--ledger", ended)
    assert result.exit_code == 1
    assert "cannot read part-0: " in result.stderr
