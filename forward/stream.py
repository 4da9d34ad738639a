"""A Kinesis stream: created on request, written with PutRecords, which answers for each record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from forward.records import Record
from toolkit.extras import missing

_ACTIVE_SECONDS = 120.0
_ANSWER_SECONDS = 60  # a request that is given up is sent again: its records may then be there twice
# Temporary errors: too many requests, or a fault of the service.
_PASSING = (
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "ThrottlingException",
    "KMSThrottlingException",
    "InternalFailure",
    "InternalFailureException",
    "ServiceUnavailable",
    "RequestTimeout",
)
_ADVICE = {
    "ResourceNotFoundException": "does this stream exist? --create-stream makes it",
    "AccessDeniedException": "the login needs kinesis:PutRecords and kinesis:DescribeStreamSummary",
    "UnrecognizedClientException": "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "ExpiredTokenException": "the session token has expired: get a new one",
}
_VARIABLES = "AWS_REGION, AWS_ENDPOINT_URL_KINESIS, AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"


class StreamError(Exception):
    """The stream refuses, and trying again cannot help; the text says why, and what to try."""


class Stream:
    """A stream, by its name.

    Endpoint, region and login come from boto3's usual sources (AWS_ENDPOINT_URL_KINESIS, AWS_REGION,
    profiles).
    """

    def __init__(self, name: str) -> None:
        """Raises StreamError."""
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        except ImportError as error:
            raise StreamError(missing("Kinesis", "boto3", "kinesis")) from error
        self.name = name
        self._refused, self._broken, self._unreached = ClientError, BotoCoreError, HTTPClientError
        # boto3 would send a whole request again; here every record is tried again separately.
        once = Config(
            retries={"total_max_attempts": 1}, connect_timeout=_ANSWER_SECONDS, read_timeout=_ANSWER_SECONDS
        )
        try:
            # boto3 itself reads only AWS_DEFAULT_REGION; Amazon's other clients read AWS_REGION.
            region = os.environ.get("AWS_REGION") or None
            self._client: Any = boto3.client("kinesis", region, config=once)
        except (BotoCoreError, ValueError) as error:
            raise _unusable(error) from error

    def open(self, shards: int | None) -> None:
        """Wait until the stream can be written. Raises StreamError.

        With `shards`, create it if it does not exist.
        """
        if shards is not None:
            self._create(shards)
        waiting = Retrying(
            retry=retry_if_result(lambda status: status in ("CREATING", None)),
            wait=wait_fixed(0.5),
            stop=stop_after_delay(_ACTIVE_SECONDS),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        status = waiting(self._status)
        if status not in ("ACTIVE", "UPDATING"):
            raise StreamError(f"stream {self.name} is not ready after {_ACTIVE_SECONDS:.0f} s: {status}")

    def put(self, records: Sequence[Record]) -> list[str | None]:
        """For each record: None if it is in the stream, or else the reason; then it may be tried again.

        Raises StreamError.
        """
        entries = [{"Data": record.value, "PartitionKey": record.key} for record in records]
        try:
            answers = self._client.put_records(StreamName=self.name, Records=entries)["Records"]
        except self._refused as error:
            return [self._passing(error)] * len(entries)
        except self._unreached as error:
            return [type(error).__name__] * len(entries)
        except self._broken as error:
            raise _unusable(error) from error
        return [answer.get("ErrorCode") or None for answer in answers]

    def _create(self, shards: int) -> None:
        try:
            self._client.create_stream(StreamName=self.name, ShardCount=shards)
        except self._refused as error:
            if error.response["Error"]["Code"] != "ResourceInUseException":
                raise self._explained(error) from error
        except self._broken as error:
            raise _unusable(error) from error

    def _status(self) -> str | None:
        """The state of the stream; None while it is unknown."""
        try:
            answer = self._client.describe_stream_summary(StreamName=self.name)
        except self._refused as error:
            self._passing(error)
            return None
        except self._broken as error:
            raise _unusable(error) from error
        return str(answer["StreamDescriptionSummary"]["StreamStatus"])

    def _passing(self, error: Any) -> str:
        """The code of a temporary error. Raises StreamError for the others."""
        code = str(error.response["Error"]["Code"])
        if code in _PASSING or error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= 500:
            return code
        raise self._explained(error) from error

    def _explained(self, error: Any) -> StreamError:
        told = error.response["Error"]
        advice = _ADVICE.get(told["Code"])
        text = f"stream {self.name}: {told['Code']}: {told.get('Message', '')}"
        return StreamError(f"{text}: {advice}" if advice else text)


def _unusable(error: Exception) -> StreamError:
    """The error if boto3 has no address, no region or no login, or cannot reach the service."""
    return StreamError(f"Kinesis: {' '.join(str(error).split())} ({_VARIABLES})")
