"""Records from an Amazon Kinesis stream: every shard from its oldest record to the end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from consumer.verify.audit.records import AuditError, Place, Record
from consumer.verify.audit.report import Unread
from toolkit.extras import missing

_LIMIT = 1_000  # records of a request
_PATIENCE_SECONDS = 60.0
_SLACK_MILLISECONDS = 1_000  # arrival times are approximate
_EMPTY_SECONDS = 0.2  # five requests per second and shard are allowed
_PASSING = ("ProvisionedThroughputExceededException", "LimitExceededException", "InternalFailure")


@dataclass(frozen=True)
class Stream:
    """What to read: a stream by its name."""

    name: str


class KinesisReader:
    """A shard counts as a partition, and the partition key as the key.

    Parent shards come first, so that the order of a key is kept. `total` and
    `done` count shards. A record's offset is its sequence number.
    """

    follows = False

    def __init__(self, stream: Stream) -> None:
        """Raises AuditError when the stream cannot be reached or does not exist."""
        try:
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise AuditError(missing("--kinesis", "boto3", "kinesis")) from error
        self.name = stream.name
        self._refused, self._failed = ClientError, (BotoCoreError, ClientError)
        try:
            # Endpoint and login: AWS_ENDPOINT_URL_KINESIS, …; boto3 itself reads only AWS_DEFAULT_REGION.
            self._client: Any = boto3.client("kinesis", os.environ.get("AWS_REGION") or None)
        except (BotoCoreError, ValueError) as error:
            raise AuditError(f"Kinesis: {error} (AWS_REGION, AWS_ENDPOINT_URL_KINESIS)") from error
        self._shards = oldest_first(self._list_shards())
        self.done, self.total = 0, len(self._shards)

    def batches(self) -> Iterator[list[Record]]:
        """Raises AuditError."""
        for number, shard in enumerate(self._shards):
            yield from self._of_shard(number, shard)
            self.done += 1

    def place(self, partition: int | None, offset: int) -> Place:
        return Place(self.name, partition, offset)

    def unread(self) -> tuple[Unread, ...]:
        return ()  # Kinesis has no transactions

    def close(self) -> None:
        self._client.close()

    def _of_shard(self, number: int, shard: str) -> Iterator[list[Record]]:
        iterator: str | None = self._ask(
            "get_shard_iterator", StreamName=self.name, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        tip: int | None = None  # when the newest record arrived that was there at the beginning
        while iterator:  # a closed shard has none after its last record
            answer = self._ask("get_records", ShardIterator=iterator, Limit=_LIMIT)
            records, iterator = answer["Records"], answer.get("NextShardIterator")
            yield [_record(each, number) for each in records]
            behind = answer.get("MillisBehindLatest", 0)
            if not behind and len(records) < _LIMIT:  # a whole answer may end in the middle of a millisecond
                return
            if not records:
                time.sleep(_EMPTY_SECONDS)
                continue
            # Both times are the server's. Later records are not waited for, also if they never end.
            arrived = _arrived(records[-1])
            tip = arrived + behind if tip is None else tip
            if arrived > tip + _SLACK_MILLISECONDS:
                return

    def _list_shards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        asked: dict[str, str] = {"StreamName": self.name}
        while asked:
            answer = self._ask("list_shards", **asked)
            found += answer["Shards"]
            asked = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
        return found

    def _ask(self, request: str, **how: Any) -> Any:
        """Send one request, again if the stream refuses it as too many. Raises AuditError."""
        asking = Retrying(
            retry=retry_if_exception(self._passes),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            stop=stop_after_delay(_PATIENCE_SECONDS),
            reraise=True,
        )
        try:
            return asking(getattr(self._client, request), **how)
        except self._failed as error:
            raise AuditError(f"cannot read stream {self.name}: {error}") from error

    def _passes(self, error: BaseException) -> bool:
        return isinstance(error, self._refused) and error.response["Error"]["Code"] in _PASSING


def oldest_first(shards: list[dict[str, Any]]) -> list[str]:
    """Ids of shards; parent shards come before their children."""
    names = ("ParentShardId", "AdjacentParentShardId")
    parents: dict[str, list[str]] = {
        shard["ShardId"]: [shard[name] for name in names if shard.get(name)] for shard in shards
    }
    ordered: dict[str, None] = {}

    def add(shard: str) -> None:
        for parent in parents[shard]:
            if parent in parents and parent not in ordered:
                add(parent)
        ordered[shard] = None

    for each in sorted(parents):
        add(each)
    return list(ordered)


def _record(record: dict[str, Any], shard: int) -> Record:
    key, offset = record["PartitionKey"].encode(), int(record["SequenceNumber"])
    return (record["Data"], key, shard, offset, _arrived(record))


def _arrived(record: dict[str, Any]) -> int:
    return int(record["ApproximateArrivalTimestamp"].timestamp() * 1000)
