"""The address of the cache, as a value that never shows its password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from kafka_setup.connection.settings import Secret


class CacheSettingsError(ValueError):
    """The address of the cache is wrong; the text says why, without the password."""


@dataclass(frozen=True)
class CacheServer:
    """The address and login of the cache. `url` has no password in it, so it may be printed."""

    url: str
    password: Secret | None = field(default=None, repr=False)


def has_password(text: str) -> bool:
    return urlsplit(text).password is not None


def read_url(text: str, password: Secret | None = None) -> CacheServer:
    """Read `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or rediss:// for TLS. Raises CacheSettingsError.

    A password in the URL has priority over `password`.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise CacheSettingsError("its host or port cannot be read") from error
    if parts.scheme not in ("redis", "rediss") or not host:
        raise CacheSettingsError("expected redis://HOST[:PORT][/DATABASE], or rediss:// for TLS")
    database = parts.path.strip("/")
    if parts.query or parts.fragment or (database and not (database.isascii() and database.isdecimal())):
        raise CacheSettingsError("after the port only the number of a database may follow, such as /1")
    own = Secret(unquote(parts.password)) if parts.password else None
    address = f"[{host}]" if ":" in host else host
    login = f"{parts.username}@" if parts.username else ""
    place = f"{login}{address}:{port or 6379}"
    return CacheServer(urlunsplit((parts.scheme, place, f"/{database or 0}", "", "")), own or password)
