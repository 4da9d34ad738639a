"""Where the audit of a Kinesis stream ends, with a writer that never stops."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import count
from typing import Any

import boto3
import pytest

from consumer.verify.records.kinesis_records import KinesisReader, Stream


class BusyStream:
    """A client of a stream whose writer is always 40 ms ahead of the reader."""

    def __init__(self) -> None:
        self.numbers = count()

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
