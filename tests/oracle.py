"""The answers of analytics, computed by plain Python: Flink SQL must give the same rows.

It does not use the SQL. Each function takes the events as dictionaries of the flat shape, each with its
time in whole milliseconds under "ms", and returns {primary key: row}, with times as the results spell them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

Event = dict[str, Any]
Rows = dict[tuple[Any, ...], dict[str, Any]]
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def with_time(event: Event, precision: int = 1) -> Event:
    """The event with its time in milliseconds; `precision`: 1000 for shapes that tell whole seconds."""
    moment = datetime.fromisoformat(event["timestamp"][:26]).replace(tzinfo=timezone.utc)
    ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    return {**event, "ms": ms - ms % precision}


def iso(ms: int) -> str:
    """The time as Flink's JSON writes it: without zeros at the end of the fraction."""
    text = f"{_EPOCH + timedelta(milliseconds=ms):%Y-%m-%dT%H:%M:%S}"
    fraction = f"{ms % 1000:03d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def level_counts(events: Iterable[Event]) -> Rows:
    counts, last = Counter[str](), dict[str, int]()
    for event in events:
        counts[event["level"]] += 1
        last[event["level"]] = max(last.get(event["level"], 0), event["ms"])
    return {(k,): {"level": k, "events": n, "last": iso(last[k])} for k, n in counts.items()}


def level_windows(events: Iterable[Event], width: int = 300) -> Rows:
    groups: dict[tuple[int, str, str], list[Event]] = defaultdict(list)
    for event in events:
        groups[_window(event, width), event["level"], event["source"]].append(event)
    return {
        (iso(start), level, source): {
            "window_start": iso(start),
            "window_end": iso(start + width * 1000),
            "level": level,
            "source": source,
            "events": len(group),
            "first": iso(min(event["ms"] for event in group)),
            "last": iso(max(event["ms"] for event in group)),
            "computers": len({event["computer"] for event in group}),
        }
        for (start, level, source), group in groups.items()
    }


def error_burst(events: Iterable[Event], threshold: int = 50, width: int = 300) -> Rows:
    groups: dict[str, list[tuple[int, None]]] = defaultdict(list)
    for event in events:
        if event["level"] in ("Error", "Critical"):
            for subject in (event["computer"], "*"):
                groups[subject].append((event["ms"], None))
    rows: Rows = {}
    for subject, group in groups.items():
        for first, last, count, _ in _bursts(group, threshold, width):
            row = {"rule": "error_burst", "subject": subject, "first": iso(first), "last": iso(last)}
            rows["error_burst", subject, iso(first)] = {
                **row, "events": count, "accounts": None, "kind": "errors",
            }  # fmt: skip
    return rows


def brute_force(events: Iterable[Event], threshold: int = 8, width: int = 240, accounts: int = 4) -> Rows:
    groups: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for event in events:
        address = event["data"].get("IpAddress")
        if event["event_id"] == 4625 and address not in (None, "", "-"):
            groups[address].append((event["ms"], event["data"]["TargetUserName"]))
    rows: Rows = {}
    for subject, group in groups.items():
        for first, last, count, most in _bursts(group, threshold, width):
            row = {"rule": "brute_force", "subject": subject, "first": iso(first), "last": iso(last)}
            kind = "spray" if most >= accounts else "guessing"
            rows["brute_force", subject, iso(first)] = {
                **row, "events": count, "accounts": most, "kind": kind,
            }  # fmt: skip
    return rows


def top_accounts(events: Iterable[Event], width: int = 300, ranks: int = 10) -> Rows:
    counts: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for event in events:
        start = _window(event, width)
        counts[start, "computer"][event["computer"]] += 1
        counts[start, "event_id"][str(event["event_id"])] += 1
        if (account := event["data"].get("TargetUserName")) is not None:
            counts[start, "account"][account] += 1
    rows: Rows = {}
    for (start, kind), found in counts.items():
        best = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:ranks]
        for rank, (name, count) in enumerate(best, start=1):
            rows[iso(start), kind, rank] = {
                "window_start": iso(start), "window_end": iso(start + width * 1000),
                "kind": kind, "rank": rank, "name": name, "events": count,
            }  # fmt: skip
    return rows


def logon_sessions(events: Iterable[Event], timeout: int = 60) -> Rows:
    """`timeout` in minutes."""
    events = list(events)
    ends: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in events:
        if event["event_id"] in (4634, 4647):
            ends[event["computer"], event["data"]["TargetLogonId"]].append(event["ms"])
    rows: Rows = {}
    for event in events:
        if event["event_id"] != 4624:
            continue
        data, start = event["data"], event["ms"]
        possible = ends[event["computer"], data["TargetLogonId"]]
        end = min((end for end in possible if start <= end <= start + timeout * 60_000), default=None)
        rows[event["computer"], event["record_id"], iso(event["ms"])] = {
            "computer": event["computer"], "record_id": event["record_id"], "logon_id": data["TargetLogonId"],
            "account": data["TargetUserName"], "logon_type": data["LogonType"], "address": data["IpAddress"],
            "start": iso(start), "end": None if end is None else iso(end),
            "seconds": None if end is None else (end - start) // 1000,
        }  # fmt: skip
    return rows


def enriched(events: Iterable[Event], hosts: dict[str, tuple[str, str]], width: int = 300) -> Rows:
    rows: Rows = {}
    for event in events:
        start = _window(event, width)
        role, site = hosts.get(event["computer"], (None, None))
        rows[event["computer"], event["source"], event["record_id"], iso(event["ms"])] = {
            "computer": event["computer"], "source": event["source"], "record_id": event["record_id"],
            "event_time": iso(event["ms"]),
            "window_start": iso(start), "window_end": iso(start + width * 1000),
            "level": event["level"], "event_id": event["event_id"], "provider": event["provider"],
            "account": event["data"].get("TargetUserName"), "message": event["message"],
            "role": role, "site": site,
        }  # fmt: skip
    return rows


def _window(event: Event, width: int) -> int:
    ms: int = event["ms"]
    return ms - ms % (width * 1000)


def _bursts(group: list[tuple[int, Any]], threshold: int, width: int) -> Iterable[tuple[int, int, int, int]]:
    """(first, last, events, most values in one window) of each burst, by looking at every window."""
    times = sorted(ms for ms, _ in group)
    burst: list[tuple[int, int]] = []  # (position, time) of the last event of each of its times
    for position, ms in enumerate(times):
        if position + 1 < len(times) and times[position + 1] == ms:
            continue  # events of one time are counted together
        opening = position - threshold + 1
        if opening >= 0 and ms - times[opening] <= width * 1000:
            burst.append((position, ms))
        elif burst:
            yield _burst(group, times, burst, threshold, width)
            burst = []
    if burst:
        yield _burst(group, times, burst, threshold, width)


def _burst(
    group: list[tuple[int, Any]], times: list[int], burst: list[tuple[int, int]], threshold: int, width: int
) -> tuple[int, int, int, int]:
    begin, end = burst[0][0] - threshold + 1, burst[-1][0]
    most = max(len({v for at, v in group if ms - width * 1000 <= at <= ms}) for _, ms in burst)
    return times[begin], times[end], end - begin + 1, most
