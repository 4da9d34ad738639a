"""Rows of the matrix that need no bridge: what a producer does when its clients or its disk misbehave."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from faults.readers import Crowd, connect, resume
from faults.shared_stack import mount_small_disk
from running import RunningProducer, run, wait_until

from producer.protocol import ResumeRequest

GOOD_READERS, GOOD_RATE = 50, 1500
ENOUGH = 0.95  # of the rate without a stalled reader
TRIES = 5  # other work on the machine can slow down one measurement, a stalled reader would slow down most
MAX_CLIENTS = 20
FEW_DESCRIPTORS = 40


@dataclass(frozen=True)
class Outcome:
    proof: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProducerFault:
    """`act` runs the row in an empty folder; it raises AssertionError when a promise is broken."""

    name: str
    title: str
    act: Callable[[Path, int], Outcome]


@contextmanager
def _producer(folder: Path, *options: str) -> Iterator[RunningProducer]:
    running = RunningProducer(folder, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


def one_stalled_reader(folder: Path, seed: int) -> Outcome:
    options = ("--rate", str(GOOD_RATE), "--seed", str(seed), "--retain-bytes", str(2**23))
    with _producer(folder, *options) as producer, closing(Crowd(producer.port, GOOD_READERS)) as crowd:
        time.sleep(1)  # everybody is past the grace
        shares: list[float] = []
        while not _settled(shares):
            shares.append(_share_beside_a_stalled_one(producer, crowd))
        assert median(shares) >= ENOUGH, f"good readers fell to {shares} of their rate"
        said = _words(producer, "too slow")
        assert crowd.ended == 0, f"{crowd.ended} good readers were disconnected"
    return Outcome(
        f"the log says: {said}", {"slowest good reader, share of its rate": round(median(shares), 3)}
    )


def _settled(shares: list[float]) -> bool:
    """Whether most of TRIES are good, or most are bad, whatever the others would be."""
    good = sum(share >= ENOUGH for share in shares)
    return max(good, len(shares) - good) > TRIES // 2


def _share_beside_a_stalled_one(producer: RunningProducer, crowd: Crowd) -> float:
    """The slowest good reader's rate, as a share of the mean rate just before."""
    alone = crowd.rates(3)
    with connect(producer.port, receive_buffer=4096):
        beside = crowd.rates(3)
        _words(producer, "too slow")
    return min(beside) / (sum(alone) / len(alone))


def twice_the_clients(folder: Path, seed: int) -> Outcome:
    options = ("--rate", "500", "--seed", str(seed), "--max-clients", str(MAX_CLIENTS))
    with _producer(folder, *options) as producer:
        with closing(Crowd(producer.port, 2 * MAX_CLIENTS)) as crowd:
            wait_until(lambda: crowd.ended == MAX_CLIENTS, f"{MAX_CLIENTS} clients are refused")
            served = wait_until(
                lambda: sum(rate > 0 for rate in crowd.rates(2)) == MAX_CLIENTS and MAX_CLIENTS,
                f"{MAX_CLIENTS} clients are served",
            )
            answer, _ = resume(producer.port, ResumeRequest(None, "latest"))
            assert answer.status == "error", answer
        _expect_service(producer)
    seen = f"{crowd.ended} of {2 * MAX_CLIENTS} clients refused: “{answer.reason}”"
    return Outcome(seen, {"served": served})


def no_descriptors_left(folder: Path, seed: int) -> Outcome:
    with _producer(folder, "--rate", "50", "--seed", str(seed)) as producer:
        process = psutil.Process(producer.process.pid)
        process.rlimit(resource.RLIMIT_NOFILE, (FEW_DESCRIPTORS, FEW_DESCRIPTORS))
        with closing(Crowd(producer.port, 2 * FEW_DESCRIPTORS)) as crowd:
            said = _words(producer, "cannot accept")
            served = sum(rate > 0 for rate in crowd.rates(2))
            assert served, "nobody is served any more"
            busy = process.cpu_percent(2)
            assert busy < 50, f"the producer spins: {busy} % of a core"
        _expect_service(producer)
    figures = {"served meanwhile": served, "CPU %": busy}
    return Outcome(f"limit {FEW_DESCRIPTORS}, the log says: {said}", figures)


def _words(producer: RunningProducer, text: str) -> str:
    """The line of its log that reports it."""

    def look() -> str:
        return next((line for line in producer.text().splitlines() if text in line), "")

    return str(wait_until(look, f"the producer says {text!r}", 60))


def positions_out_of_reach(folder: Path, seed: int) -> Outcome:
    options = ("--rate", "max", "--count", "5000", "--seed", str(seed), "--retain-bytes", str(2**20))
    with _producer(folder, *options) as producer:
        _words(producer, "made all")
        start = resume(producer.port, ResumeRequest(None, "earliest"))[0]
        assert start.offset > 0, "the log was not trimmed"
        log_id = start.log_id
        cases = {
            "older than the log": (ResumeRequest(log_id, 0), "gap"),
            "other log id": (ResumeRequest("0123456789abcdef", 0), "new-log"),
            "ahead of the log": (ResumeRequest(log_id, 10**15), "new-log"),
        }
        for name, (request, status) in cases.items():
            answer, line = resume(producer.port, request)
            assert answer.status == status, f"{name}: {answer}"
            assert json.loads(line)["record_id"], f"{name}: no whole event follows"
            assert status != "gap" or answer.lost_bytes == answer.offset > 0, answer
            refusal, nothing = resume(producer.port, replace(request, strict=True))
            assert refusal.status == "error", f"{name}: {refusal}"
            assert refusal.reason, f"{name}: no reason is given"
            assert not nothing, f"{name}: {nothing!r}"
    return Outcome("; ".join(f"{name}: {status}, strict refused" for name, (_, status) in cases.items()))


def disk_full(folder: Path, seed: int) -> Outcome:
    disk = folder / "disk"
    mounted = mount_small_disk(disk, "6m")
    options = [
        "--rate",
        "3000",
        "--seed",
        str(seed),
        "--log-dir",
        str(disk / "log"),
        "--ledger",
        str(folder / "ledger"),
    ]
    try:
        how = "6 MiB disk" if mounted else "file size limit of 6 MiB (no root: no disk of its own)"
        producer = RunningProducer(folder, *options)
        if not mounted:
            psutil.Process(producer.process.pid).rlimit(resource.RLIMIT_FSIZE, (6 * 2**20, 6 * 2**20))
        said = _words(producer, "events wait")
        assert "Traceback" not in producer.text(), producer.text()
        code = producer.stop()
        assert code == 0, f"exit code {code}: {said}"
        again = _recovers_with_room(folder, disk, mounted, options)
    finally:
        if mounted:
            run("umount", str(disk))
    return Outcome(
        f"{how}: waits, serves on and says: {said}", {"events still served after a restart": again}
    )


def _recovers_with_room(folder: Path, disk: Path, mounted: bool, options: list[str]) -> int:
    """After space was freed, the same folder serves every event that it had accepted."""
    if mounted:
        run("mount", "-o", "remount,size=64m", str(disk))
    taken = sum(segment.read_bytes().count(b"\n") for segment in (disk / "log").glob("*.log"))
    data = b""
    with (
        _producer(folder, *options, "--count", "100", "--wait-for-clients", "2") as producer,
        connect(producer.port) as client,
    ):
        client.sendall(ResumeRequest(None, "earliest").encode())
        while data.count(b"\n") <= taken and (piece := client.recv(2**20)):  # the answer comes first
            data += piece
    last: dict[tuple[str, str], int] = {}
    events = [json.loads(line) for line in data.split(b"\n")[1:-1]]  # without the answer
    for event in events:
        key = (event["computer"], event["source"])
        assert event["record_id"] == last.get(key, 0) + 1, f"{key}: {last.get(key)}, {event['record_id']}"
        last[key] = event["record_id"]
    assert len(events) == taken > 0, f"{len(events)} of {taken} events are served after the restart"
    return len(events)


def _expect_service(producer: RunningProducer) -> None:
    """A new client is served after the others have left; until then it may be refused."""

    def served() -> bool:
        crowd = Crowd(producer.port, 1)
        try:
            return crowd.rates(1)[0] > 1
        finally:
            crowd.close()

    wait_until(served, "a new client is served")


PRODUCER_FAULTS = (
    ProducerFault("stalled-reader", f"1 stalled and {GOOD_READERS} good readers", one_stalled_reader),
    ProducerFault("too-many-clients", "2 × --max-clients", twice_the_clients),
    ProducerFault("no-descriptors", "no file descriptors left", no_descriptors_left),
    ProducerFault(
        "position-out-of-reach",
        "position older than the log, other log id, ahead of the log",
        positions_out_of_reach,
    ),
    ProducerFault("disk-full", "disk full under --log-dir", disk_full),
)
