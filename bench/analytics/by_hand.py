"""Two of the questions written by hand, in plain Python or with a streaming library for Python.

No stored state, no restart: the answers are complete at the end of the topic. Rows are as in results.sql.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

from kafka_setup.connection.settings import KafkaConnection, read_password

WIDTH = 300_000  # milliseconds of a window
_THRESHOLD, _WITHIN, _SPRAY = 8, 240_000, 4  # failed logons, milliseconds, accounts

Row = dict[str, Any]
Window = tuple[int, str, str]
Failure = tuple[int, str]
"""Milliseconds, account."""


class Group:
    """The events of one window, level and channel."""

    def __init__(self) -> None:
        self.events, self.first, self.last = 0, 2**63, 0
        self.computers: set[str] = set()

    def add(self, ms: int, computer: str) -> Group:
        self.events += 1
        self.first, self.last = min(self.first, ms), max(self.last, ms)
        self.computers.add(computer)
        return self


def client_settings() -> dict[str, Any]:
    """The login from the environment."""
    connection = KafkaConnection(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        os.environ["KAFKA_SECURITY_PROTOCOL"],
        username=os.environ["KAFKA_USERNAME"],
        password=read_password(os.environ),
    )
    return connection.client_settings()


def window_rows(groups: Iterable[tuple[Window, Group]]) -> Iterator[Row]:
    for (window, level, source), group in groups:
        yield {
            "window_start": _iso(window * WIDTH), "window_end": _iso(window * WIDTH + WIDTH),
            "level": level, "source": source, "events": group.events,
            "first": _iso(group.first), "last": _iso(group.last), "computers": len(group.computers),
        }  # fmt: skip


def failure_of(event: dict[str, Any]) -> str | None:
    """The address of a failed logon."""
    if event["event_id"] != 4625 or event["source"] != "Security":
        return None
    address = event["data"].get("IpAddress")
    return address if address not in (None, "", "-") else None


def burst_rows(address: str, failures: list[Failure]) -> Iterator[Row]:
    """The bursts of one address, by one pass over its failed logons in order of time."""
    failures.sort()
    accounts, begin, opening = Counter[str](), 0, 0
    row: Row | None = None
    for place, (ms, account) in enumerate(failures):
        accounts[account] += 1
        while failures[begin][0] < ms - _WITHIN:
            accounts[failures[begin][1]] -= 1
            begin += 1
        if place + 1 < len(failures) and failures[place + 1][0] == ms:
            continue  # events with the same time are counted together
        if place - begin + 1 < _THRESHOLD:
            if row:
                yield row
            row = None
            continue
        if row is None:
            opening = place - _THRESHOLD + 1
            row = {
                "rule": "brute_force", "subject": address, "first": _iso(failures[opening][0]), "accounts": 0,
            }  # fmt: skip
        most = max(row["accounts"], sum(count > 0 for count in accounts.values()))
        kind = "spray" if most >= _SPRAY else "guessing"
        row |= {"last": _iso(ms), "events": place - opening + 1, "accounts": most, "kind": kind}
    if row:
        yield row


def _iso(ms: int) -> str:
    """A time as in Flink's JSON: without zeros at the end of the fraction."""
    text = f"{datetime.fromtimestamp(ms // 1000, timezone.utc):%Y-%m-%dT%H:%M:%S}"
    fraction = f"{ms % 1000:03d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"
