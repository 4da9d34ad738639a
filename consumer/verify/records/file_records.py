"""Records from NDJSON: one file, or an archive in a folder or an S3 bucket, part by part."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from consumer.verify.audit.records import AuditError, Place, Record
from consumer.verify.audit.report import Unread
from toolkit.extras import missing

S3 = "s3://"
_BATCH_BYTES = 512 * 2**10  # fits into a processor's cache
_BUFFER_BYTES = 2**20
_MARK = b"\xef\xbb\xbf"  # the UTF-8 mark that some tools write at the start of a file


class Part(NamedTuple):
    """One file. `open`, and reading what it returns, raise one of `errors`."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    errors: tuple[type[Exception], ...] = (OSError,)


class FileReader:
    """All lines that are not empty, in batches; `total` and `done` count bytes.

    The parts of an archive count as partitions: each has its own order.
    """

    def __init__(self, name: str, parts: Sequence[Part], *, archive: bool) -> None:
        self.name = name
        self.follows = False
        self.done = 0
        self.total = sum(part.size for part in parts)
        self._parts = parts
        self._archive = archive

    def close(self) -> None:
        """Does nothing: no file stays open between two parts."""

    def place(self, partition: int | None, offset: int) -> Place:
        return Place(self._parts[partition or 0].name, None, offset)

    def unread(self) -> tuple[Unread, ...]:
        return ()  # a file has no open transactions

    def batches(self) -> Iterator[list[Record]]:
        """Raises AuditError when a part cannot be read."""
        for number, part in enumerate(self._parts):
            try:
                with part.open() as file:
                    yield from self._of_part(file, number if self._archive else None)
            except part.errors as error:
                raise AuditError(f"cannot read {part.name}: {_reason(error)}") from error

    def _of_part(self, file: IO[bytes], partition: int | None) -> Iterator[list[Record]]:
        line_number = 1
        while lines := file.readlines(_BATCH_BYTES):
            self.done += sum(map(len, lines))
            if line_number == 1:
                lines[0] = lines[0].removeprefix(_MARK)
            yield [
                (line, None, partition, number, 0)
                for number, whole in enumerate(lines, line_number)
                if (line := whole.rstrip(b"\r\n")) and not line.isspace()
            ]
            line_number += len(lines)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def open_files(where: str) -> FileReader:
    """A file, a folder or s3://BUCKET/PREFIX. Raises AuditError."""
    if where.startswith(S3):
        return FileReader(where, _complete(_s3_parts(where), where), archive=True)
    path = Path(where)
    try:
        if path.is_dir():
            return FileReader(path.name, _complete(_folder_parts(path), where), archive=True)
        return FileReader(path.name, [_part(path, path.name)], archive=False)
    except OSError as error:
        raise AuditError(f"cannot read {where}: {error.strerror}") from error


def _complete(parts: Iterator[Part], where: str) -> list[Part]:
    """The finished parts, in order.

    Names that begin with a dot or _ are unfinished or belong to the writer.
    """
    found = sorted(part for part in parts if not _is_hidden(part.name))
    if not found:
        raise AuditError(
            f"{where}: no complete part is in it (names that begin with . or _ are not complete)"
        )
    for part in found:
        if part.name.endswith(".parquet"):
            raise AuditError(f"{part.name} is Parquet: only parts of JSON lines can be audited")
    return found


def _is_hidden(name: str) -> bool:
    return any(step.startswith((".", "_")) for step in PurePosixPath(name).parts)


def _folder_parts(folder: Path) -> Iterator[Part]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield _part(path, path.relative_to(folder).as_posix())


def _part(path: Path, name: str) -> Part:
    return Part(name, path.stat().st_size, lambda: path.open("rb"))


def _s3_parts(where: str) -> Iterator[Part]:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise AuditError(missing("s3://", "boto3", "s3")) from error
    bucket, _, prefix = where.removeprefix(S3).partition("/")
    prefix = prefix and prefix.rstrip("/") + "/"  # not also the folders whose names begin so
    # Endpoint and login: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …; boto3 itself reads only AWS_DEFAULT_REGION.
    client = boto3.client("s3", os.environ.get("AWS_REGION") or None)

    def opened(key: str) -> IO[bytes]:
        return io.BufferedReader(client.get_object(Bucket=bucket, Key=key)["Body"], _BUFFER_BYTES)

    errors = (OSError, BotoCoreError, ClientError)
    try:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Contents", ()):
                key = found["Key"]
                name = key.removeprefix(prefix)
                yield Part(name, found["Size"], partial(opened, key), errors)
    except (BotoCoreError, ClientError) as error:
        raise AuditError(f"cannot list {where}: {error}") from error
