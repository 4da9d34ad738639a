"""A small run of the generator: its lines, its ledger, and the command that audits them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from consumer import verify_cli
from consumer.verify.expected.seed import Seed
from producer.events.generator import generate
from producer.events.generator_settings import GeneratorSettings
from producer.log.ledger import LedgerEnd, LedgerHeader

COUNT = 400
START = "2026-11-21"
SETTINGS = GeneratorSettings(seed=7, hosts=3, start_time=datetime(2026, 11, 21, tzinfo=timezone.utc))


@pytest.fixture(scope="session")
def lines() -> tuple[bytes, ...]:
    """The run's events without LF, in log order."""
    return tuple(event.line[:-1] for event in islice(generate(SETTINGS), COUNT))


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "run.ledger"
    entries = [LedgerHeader("log", SETTINGS.seed, "flat", START)]
    entries += list(Seed(SETTINGS, COUNT).blocks(lambda done: None))  # type: ignore[arg-type]
    path.write_bytes(b"".join(entry.encode() for entry in entries))
    os.utime(path, (0, 0))  # its producer is long gone: nothing more is waited for
    return path


@pytest.fixture(scope="session")
def ended(ledger: Path) -> Path:
    """The same ledger, with the producer's mark of its end."""
    path = ledger.with_name("ended.ledger")
    path.write_bytes(ledger.read_bytes() + LedgerEnd().encode())
    os.utime(path, (0, 0))
    return path


@dataclass(frozen=True)
class Verdict:
    exit_code: int
    report: dict[str, object]
    examples: str

    def __getitem__(self, key: str) -> object:
        return self.report[key]


@pytest.fixture
def audit(tmp_path: Path) -> Callable[..., Verdict]:
    """Writes lines into a file and runs win-event-verify --json over it."""

    def run(lines: list[bytes], *options: str) -> Verdict:
        path = tmp_path / "events.ndjson"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        result = CliRunner().invoke(verify_cli.main, ["--file", str(path), "--json", *options])
        assert result.stdout, result.stderr
        return Verdict(result.exit_code, orjson.loads(result.stdout), result.stderr)

    return run
