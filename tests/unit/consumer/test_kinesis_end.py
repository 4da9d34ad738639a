"""Where the audit of a Kinesis stream ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import count, islice
from typing import Any

import boto3
import pytest

from consumer.verify.records.kinesis_records import KinesisReader, Stream


class BusyStream:
    """A client of a stream whose writer is always 40 ms ahead of the reader."""

    def __init__(self) -> None:
        self.numbers: Iterator[int] = count()

    def list_shards(self, **_: Any) -> dict[str, Any]:
        return {"Shards": [{"ShardId": "shard-0"}]}

    def get_shard_iterator(self, **_: Any) -> dict[str, Any]:
        return {"ShardIterator": "i"}

    def get_records(self, **_: Any) -> dict[str, Any]:
        record = {
            "Data": b"{}",
            "PartitionKey": "PC",
            "SequenceNumber": str(next(self.numbers)),
            "ApproximateArrivalTimestamp": datetime.now(timezone.utc),
        }
        return {"Records": [record], "NextShardIterator": "i", "MillisBehindLatest": 40}


def test_a_stream_that_never_stands_still_is_read_to_the_start_of_the_audit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy = BusyStream()
    monkeypatch.setattr(boto3, "client", lambda *_: busy)
    read = sum(len(batch) for batch in KinesisReader(Stream("events")).batches())
    assert read == next(busy.numbers) > 1  # 40 ms take more than one request, and they end


class QuietStream(BusyStream):
    """A client of a stream with 2,500 records: the first thousand is 100 ms older than the others.

    Each answer needs longer than that; the second ends in the millisecond of the last record.
    """

    def get_records(self, Limit: int, **_: Any) -> dict[str, Any]:  # noqa: N803 - the name is Amazon's
        time.sleep(0.15)
        numbers = list(islice(self.numbers, Limit))
        records = [
            {
                "Data": b"{}",
                "PartitionKey": "PC",
                "SequenceNumber": str(number),
                "ApproximateArrivalTimestamp": datetime.fromtimestamp(
                    1_000 + 0.1 * (number >= 1_000), timezone.utc
                ),
            }
            for number in numbers
        ]
        behind = 100 if numbers[0] == 0 else 0
        return {"Records": records, "NextShardIterator": "i", "MillisBehindLatest": behind}


def test_a_slow_reader_of_a_stream_that_stands_still_reads_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = QuietStream()
    quiet.numbers = iter(range(2_500))
    monkeypatch.setattr(boto3, "client", lambda *_: quiet)
    assert sum(len(batch) for batch in KinesisReader(Stream("events")).batches()) == 2_500
