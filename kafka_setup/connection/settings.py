"""The Kafka connection as one typed value, with the password masked wherever it is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kafka_setup.connection import security
from toolkit.addresses import is_loopback

REQUEST_TIMEOUT = 60.0
"""In seconds: how long one request to a broker may take before a tool or the check of a job gives up."""


class ConnectionSettingsError(ValueError):
    """The settings cannot work; the text says which one and what to set."""


class Secret(str):
    """A string whose repr is masked, so that dataclasses, tracebacks and lists do not show it; str() does."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True)
class KafkaConnection:
    """Bootstrap servers, protocol and login of one Kafka user.

    `certificate_file` and `key_file` (PEM) log in over SSL with a certificate instead of a password.
    `oauth` holds librdkafka's sasl.oauthbearer.* settings as (name, value).
    """

    bootstrap_servers: str
    security_protocol: str = security.DEFAULT_PROTOCOL
    sasl_mechanism: str = security.DEFAULT_MECHANISM
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    oauth: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.security_protocol not in security.SECURITY_PROTOCOLS:
            choices = ", ".join(security.SECURITY_PROTOCOLS)
            raise ConnectionSettingsError(
                f"security protocol {self.security_protocol!r}: expected one of {choices}"
            )
        if self.uses_sasl and self.sasl_mechanism not in security.SASL_MECHANISMS:
            choices = ", ".join(security.SASL_MECHANISMS)
            raise ConnectionSettingsError(
                f"SASL mechanism {self.sasl_mechanism!r}: expected one of {choices}"
            )
        if self.uses_oauth and not self.oauth:
            raise ConnectionSettingsError(
                "OAUTHBEARER needs KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL, …_CLIENT_ID "
                "and …_CLIENT_SECRET (or …_CLIENT_SECRET_FILE)"
            )
        if bool(self.certificate_file) != bool(self.key_file):
            raise ConnectionSettingsError(
                "a client certificate needs both KAFKA_CERTIFICATE_FILE and KAFKA_KEY_FILE"
            )
        needs_login = self.uses_sasl and not self.uses_oauth
        if needs_login and not (self.username and self.password):
            raise ConnectionSettingsError(
                f"{self.security_protocol} with {self.sasl_mechanism} needs KAFKA_USERNAME and "
                "KAFKA_PASSWORD (or KAFKA_PASSWORD_FILE)"
            )

    @property
    def uses_sasl(self) -> bool:
        return security.uses_sasl(self.security_protocol)

    @property
    def uses_oauth(self) -> bool:
        return self.uses_sasl and self.sasl_mechanism == security.OAUTHBEARER

    @property
    def uses_tls(self) -> bool:
        return security.uses_tls(self.security_protocol)

    def warnings(self) -> list[str]:
        """Warnings about these settings: what is not encrypted, which files are ignored."""
        files = {
            "KAFKA_CA_FILE": self.ca_file,
            "KAFKA_CERTIFICATE_FILE": self.certificate_file,
            "KAFKA_KEY_FILE": self.key_file,
        }
        return warnings_about(self.security_protocol, self.bootstrap_servers, files)

    def client_settings(self) -> dict[str, str]:
        """The connection as librdkafka configuration."""
        settings = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
        }
        if self.uses_sasl:
            settings["sasl.mechanism"] = self.sasl_mechanism
            if self.username and self.password:
                settings |= {"sasl.username": self.username, "sasl.password": str(self.password)}
        if self.uses_oauth:
            settings |= dict(self.oauth)
        files = {
            "ssl.ca.location": self.ca_file,
            "ssl.certificate.location": self.certificate_file,
            "ssl.key.location": self.key_file,
        }
        return settings | {name: str(file) for name, file in files.items() if file and self.uses_tls}


def warnings_about(
    security_protocol: str, bootstrap_servers: str, files: Mapping[str, Path | str | None]
) -> list[str]:
    """Warnings: what is not encrypted, and which of the `files` for TLS (variable -> file) are not used."""
    open_text = clear_text_warning(security_protocol, bootstrap_servers)
    tls = security.uses_tls(security_protocol)
    ignored = [] if tls else [(name, file) for name, file in files.items() if file]
    return [
        *([open_text] if open_text else []),
        *(
            f"{name}={file} is not used: {security_protocol} has no TLS, set SASL_SSL or SSL"
            for name, file in ignored
        ),
    ]


def clear_text_warning(security_protocol: str, bootstrap_servers: str) -> str | None:
    """A warning if this protocol is not encrypted and leaves this machine, or None."""
    if security.uses_tls(security_protocol):
        return None
    open_hosts = [host for _, host, _ in servers_of(bootstrap_servers) if not is_loopback(host)]
    if not open_hosts:
        return None
    return f"{security_protocol} to {', '.join(open_hosts)} is not encrypted: use SASL_SSL for other machines"


def servers_of(bootstrap_servers: str) -> Iterator[tuple[str, str, int]]:
    """Each server of HOST:PORT,…: as written, its host without brackets, and its port (0 if it has none)."""
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        yield server.strip(), host.strip("[]"), int(port) if port.isascii() and port.isdigit() else 0


def read_password(environment: Mapping[str, str], variable: str = "KAFKA_PASSWORD") -> Secret | None:
    """The secret from VARIABLE, else from the file that VARIABLE_FILE names, else None.

    Raises ConnectionSettingsError when the file is named but cannot be read.
    """
    if environment.get(variable):
        return Secret(environment[variable])
    file = environment.get(f"{variable}_FILE")
    if not file:
        return None
    try:
        return read_password_file(Path(file))
    except ConnectionSettingsError as error:
        raise ConnectionSettingsError(f"{variable}_FILE={error}") from error


def read_password_file(path: Path) -> Secret:
    """The content of a file without the line breaks at its end. Raises ConnectionSettingsError."""
    try:
        return Secret(path.read_bytes().decode("utf-8").rstrip("\r\n"))
    except OSError as error:
        raise ConnectionSettingsError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConnectionSettingsError(f"{path}: not UTF-8 text, byte {error.start} cannot be read") from error


OAUTH_PREFIX = "KAFKA_SASL_OAUTHBEARER_"


def read_oauth(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Every KAFKA_SASL_OAUTHBEARER_X_Y (or …_FILE) as librdkafka's sasl.oauthbearer.x.y.

    A token endpoint means the method oidc. Raises ConnectionSettingsError for a file that cannot be read.
    """
    names = sorted({name.removesuffix("_FILE") for name in environment if name.startswith(OAUTH_PREFIX)})
    settings: dict[str, str] = {}
    for name in names:
        if (value := read_password(environment, name)) is not None:
            settings["sasl.oauthbearer." + name.removeprefix(OAUTH_PREFIX).lower().replace("_", ".")] = value
    if "sasl.oauthbearer.token.endpoint.url" in settings:
        settings.setdefault("sasl.oauthbearer.method", "oidc")
    return tuple(settings.items())
