"""Events per second of win-event-detect over a file, and of other programs with the same rules and events."""

from __future__ import annotations

import atexit
import json
import random
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.detection import rules
from bench.harness import Case, Section
from bench.measurement import Sample
from bench.processes import BIN, run
from bench.reading.events import write_events

RULES = 231  # as many as SigmaHQ has for the channels Security, System and Application
GROWTH = (10, 100, 1_000, 2_400)
_OURS = "win-event-detect"
_AT_THE_TOP = {"event_id": "EventID", "source": "Channel", "provider": "Provider_Name"}
_NOTE = (
    "The rules are generated, and similar to SigmaHQ's: half of them are for process creations, and few of "
    "them match. The start of the process and the loading of the rules are included (half a second for "
    "win-event-detect). Plain Python tests every rule on every event."
)


_ORDER_TITLE = "the built-in rules over failed logons of one account within a minute"
_ORDER_NOTE = "Every event matches a rule and belongs to one group, which is the worst case for correlations."


def sections(quick: bool) -> list[Section]:
    folder = Path(tempfile.mkdtemp(prefix="win-event-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    count = 100_000 if quick else 1_000_000
    few = count // 100
    cases = [
        Case(_OURS, partial(_detect, folder, count, RULES)),
        Case("plain Python without an index", partial(_plain, folder, few, RULES)),
    ]
    absent = {}
    if rsigma := shutil.which("rsigma"):
        cases.append(Case("rsigma", partial(_rsigma, rsigma, folder, count, RULES)))
    else:
        absent["rsigma"] = "cargo install --locked rsigma --version 0.23.0"
    grown = [Case(f"{size} rules", partial(_detect, folder, count, size), x=size) for size in GROWTH]
    title = f"Sigma rules over a file: {RULES} rules"
    crowd = 2_000 if quick else 20_000
    orders = [
        Case(name, partial(_crowd, folder, crowd, shuffled))
        for name, shuffled in (("in order", False), ("shuffled within 55 s", True))
    ]
    return [
        Section("detection order", _ORDER_TITLE, "events/s", orders, "in order", _ORDER_NOTE),
        Section("detection", title, "events/s", cases, _OURS, _NOTE, absent=absent),
        Section(
            "detection growth", "win-event-detect by the number of rules", "events/s", grown, axis="rules"
        ),
    ]


def _file(folder: Path, count: int) -> Path:
    file = folder / f"{count}.ndjson"
    if not file.exists():
        write_events(file, count)
    return file


def _detect(folder: Path, count: int, size: int) -> Sample:
    command = [str(BIN / _OURS), "--rules", str(rules.write(folder, size)), "--output", "json"]
    done = run([*command, str(_file(folder, count))])
    _hits(folder, count, size).write_text(str(len(done.stdout.splitlines())))
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)


def _crowd(folder: Path, count: int, shuffled: bool) -> Sample:
    """Failed logons of one account; `shuffled`: each comes up to 55 s later than its time."""
    file, dice = folder / f"crowd-{count}-{shuffled}.ndjson", random.Random(7)
    times = [60 * number / count for number in range(count)]
    arrival = sorted(times, key=lambda time: time + dice.uniform(0, 55)) if shuffled else times
    file.write_text("".join(map(_failed_logon, arrival)))
    done = run([str(BIN / _OURS), "--output", "json", str(file)])
    (found,) = [each["count"] for each in map(json.loads, done.stdout.splitlines())]
    if found != count:
        raise RuntimeError(f"the alert has {found} of {count} events")
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)


def _failed_logon(second: float) -> str:
    data = {"IpAddress": "203.0.113.9", "TargetUserName": "m.ito"}
    event = {
        "timestamp": f"2026-01-05T12:00:{second:010.7f}Z", "source": "Security", "event_id": 4625,
        "record_id": round(second * 1e7) + 1, "computer": "DC-1", "data": data,
    }  # fmt: skip
    return json.dumps(event) + "\n"


def _plain(folder: Path, count: int, size: int) -> Sample:
    if not _hits(folder, count, size).exists():
        _detect(folder, count, size)
    words = [sys.executable, "-m", "bench.detection.plain_python"]
    done = run([*words, str(rules.write(folder, size)), str(_file(folder, count))])
    _check_hits("plain Python", int(done.stdout), _hits(folder, count, size))
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)


def _hits(folder: Path, count: int, size: int) -> Path:
    """The file with the number of our hits: another program's figure counts only if it finds as many."""
    return folder / f"hits-{count}-{size}"


def _check_hits(program: str, found: int, file: Path) -> None:
    if found != (ours := int(file.read_text())):
        raise RuntimeError(f"{program} has {found} hits, win-event-detect {ours}")


def _rsigma(program: str, folder: Path, count: int, size: int) -> Sample:
    """Run rsigma, which gets the events in another form: also the event data is at the top level."""
    flat = folder / f"{count}-flat.ndjson"
    if not flat.exists():
        with flat.open("w", encoding="utf-8") as out:
            for line in _file(folder, count).read_bytes().splitlines():
                event = json.loads(line)
                fields = {_AT_THE_TOP.get(name, name): value for name, value in event.items()}
                out.write(json.dumps(fields.pop("data") | fields, separators=(",", ":")) + "\n")
    file = rules.write(folder, size)
    command = [program, "engine", "eval", "-r", str(file), "-e", f"@{flat}", "--input-format", "json"]
    done = run([*command, "--quiet"])
    _check_hits("rsigma", len(done.stdout.splitlines()), _hits(folder, count, size))
    return Sample(count / done.seconds, count, done.cost.cpu_seconds, done.cost.peak_mib)
