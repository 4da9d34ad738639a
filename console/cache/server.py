"""Requests to a Valkey or Redis server, bounded in time and size. They only raise AwayError."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from console.cache.settings import CacheServer, CacheSettingsError
from console.reading.poller import AwayError
from toolkit.extras import missing

# In seconds, for a connection and for an answer. Short, because the console waits for it when it ends. A
# cache that does not answer is asked again a second later, and all answers come from Kafka meanwhile.
TIMEOUT = 0.5
MAX_BYTES = 4 * 1024 * 1024  # of one value


class Server:
    """One connection, opened when first needed and again after a failure."""

    def __init__(self, where: CacheServer) -> None:
        """Raises CacheSettingsError if the package redis is missing."""
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise CacheSettingsError(missing("--cache", "redis", "cache")) from error
        self._where, self._refused = where, redis.ResponseError
        self._login = (redis.AuthenticationError, redis.exceptions.NoPermissionError)
        self._failures = (redis.RedisError, OSError)
        self._client: Any = redis.Redis.from_url(
            where.url,
            password=where.password and str(where.password),
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """Each value: `b""` if there is none, None if we did not write it. Raises AwayError."""
        with self._asking():
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.getrange(key, 0, MAX_BYTES)
            return [self._value(answer) for answer in pipeline.execute(raise_on_error=False)]

    def write(self, values: Mapping[str, bytes], seconds: int) -> None:
        """Write values, which are stored for `seconds`. Raises AwayError."""
        with self._asking():
            pipeline = self._client.pipeline(transaction=False)
            for key, value in values.items():
                pipeline.set(key, value, ex=seconds)
            # An error that the pipeline raises itself would contain the value.
            for answer in pipeline.execute(raise_on_error=False):
                if isinstance(answer, Exception):
                    raise answer

    def ping(self) -> None:
        """Test the connection. Raises AwayError."""
        with self._asking():
            self._client.ping()

    def close(self) -> None:
        self._client.close()

    def _value(self, answer: Any) -> bytes | None:
        if isinstance(answer, bytes):
            return answer if len(answer) <= MAX_BYTES else None
        if isinstance(answer, self._refused) and str(answer).startswith("WRONGTYPE"):
            return None
        raise answer

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except self._login as error:
            advice = "see WIN_EVENT_CACHE_PASSWORD or …_FILE"
            raise AwayError(f"{self._where.url} refuses the login ({error}): {advice}") from error
        except self._refused as error:
            raise AwayError(f"{self._where.url} refuses: {error}") from error
        except self._failures as error:
            raise AwayError(f"{self._where.url} does not answer: {error}") from error
