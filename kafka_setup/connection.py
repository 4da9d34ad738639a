"""How a client reaches the Kafka cluster: one typed value, the password masked wherever it is printed."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SECURITY_PROTOCOLS = ("PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


class ConnectionSettingsError(ValueError):
    """The settings cannot work; the text says which one and what to set."""


class Secret(str):
    """A string that never prints itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True)
class KafkaConnection:
    """Bootstrap servers, protocol and login of one Kafka user."""

    bootstrap_servers: str
    security_protocol: str = "SASL_PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if self.security_protocol not in SECURITY_PROTOCOLS:
            choices = ", ".join(SECURITY_PROTOCOLS)
            raise ConnectionSettingsError(
                f"security protocol {self.security_protocol!r}: expected one of {choices}"
            )
        if self.uses_sasl and self.sasl_mechanism not in SASL_MECHANISMS:
            choices = ", ".join(SASL_MECHANISMS)
            raise ConnectionSettingsError(
                f"SASL mechanism {self.sasl_mechanism!r}: expected one of {choices}"
            )
        needs_login = self.uses_sasl and self.sasl_mechanism != "OAUTHBEARER"
        if needs_login and not (self.username and self.password):
            raise ConnectionSettingsError(
                f"{self.security_protocol} with {self.sasl_mechanism} needs KAFKA_USERNAME and "
                "KAFKA_PASSWORD (or KAFKA_PASSWORD_FILE)"
            )

    @property
    def uses_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    def warning(self) -> str | None:
        """What is open about this connection, or None: credentials in clear text off this machine."""
        if self.uses_tls:
            return None
        hosts = [server.rsplit(":", 1)[0].strip("[] ") for server in self.bootstrap_servers.split(",")]
        open_hosts = [host for host in hosts if not is_loopback(host)]
        if not open_hosts:
            return None
        return (
            f"{self.security_protocol} to {', '.join(open_hosts)} is not encrypted: "
            "use SASL_SSL off this machine"
        )

    def client_settings(self) -> dict[str, str]:
        """The same as librdkafka configuration."""
        settings = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
        }
        if self.uses_sasl:
            settings["sasl.mechanism"] = self.sasl_mechanism
            if self.username and self.password:
                settings |= {"sasl.username": self.username, "sasl.password": str(self.password)}
        if self.ca_file:
            settings["ssl.ca.location"] = str(self.ca_file)
        return settings


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
        return Secret(Path(file).read_text(encoding="utf-8").rstrip("\r\n"))
    except OSError as error:
        raise ConnectionSettingsError(f"{variable}_FILE={file}: {error.strerror}") from error
