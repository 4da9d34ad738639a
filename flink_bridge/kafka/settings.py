"""The Kafka connection as Java properties for the job, in which secrets are references, never values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from kafka_setup.connection import jaas, security
from kafka_setup.connection.settings import warnings_about

SHADED = "org.apache.flink.kafka.shaded."  # where flink-sql-connector-kafka keeps its copy of Kafka

_PROVIDERS = "org.apache.kafka.common.config.provider."
_SECRET_WORDS = ("password", "secret", "jaas", "credential", "token.value", "ssl.keystore.key")

DELIVERY_TIMEOUT_SECONDS = 120
"""Seconds for which a broker may be away before the job fails."""

# Batches fill within 20 ms under load, and are sent after 20 ms otherwise. Every replica acknowledges them,
# and their numbers prevent duplicates and reordering by retries.
_PRODUCER = {
    "acks": "all",
    "enable.idempotence": "true",
    "compression.type": "lz4",
    "linger.ms": "20",
    "batch.size": "262144",
    "buffer.memory": "67108864",
    "delivery.timeout.ms": str(DELIVERY_TIMEOUT_SECONDS * 1000),
}


# Properties that are a whole number in every client of Kafka.
_NUMBER_NAMES = re.compile(r".*\.(?:ms|bytes|size|memory|records)|retries", re.DOTALL).fullmatch
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*").fullmatch  # as Java reads it
_MOST = 2**31 - 1
_READ_HERE = ("delivery.timeout.ms", "linger.ms", "request.timeout.ms", "max.request.size", "buffer.memory")
_REQUEST_TIMEOUT_MS = "30000"  # Kafka's default


class KafkaSettingsError(ValueError):
    """Settings that cannot work; the text says which one and what to set."""


def check_transaction_timeout(timeout: int, checkpoint_interval: float) -> None:
    """For exactly-once; both in seconds. Raises KafkaSettingsError."""
    if timeout <= checkpoint_interval:
        raise KafkaSettingsError(
            f"--transaction-timeout {timeout} is not above --checkpoint-interval {checkpoint_interval:g}: "
            "Kafka would end each transaction before its checkpoint"
        )


def _check_numbers(extra: dict[str, str]) -> None:
    for name, value in extra.items():
        is_reference = "${" in value and name not in _READ_HERE
        if _NUMBER_NAMES(name) and not _NUMBER(value) and not is_reference:
            raise KafkaSettingsError(
                f"--kafka-property {name}={value}: expected a whole number, without a unit"
            )


def _check_delivery_timeout(extra: dict[str, str]) -> None:
    """Kafka's producer refuses to start otherwise, and the job would restart for ever."""
    settings = {"request.timeout.ms": _REQUEST_TIMEOUT_MS} | _PRODUCER | extra
    names = ("delivery.timeout.ms", "linger.ms", "request.timeout.ms")
    delivery, linger, request = (int(settings[name]) for name in names)
    for name, value in zip(names, (delivery, linger, request), strict=True):
        if not 0 <= value <= _MOST:
            raise KafkaSettingsError(f"--kafka-property {name}={value}: expected 0 to {_MOST}")
    if delivery < linger + request:
        raise KafkaSettingsError(
            f"delivery.timeout.ms={delivery} is less than linger.ms={linger} + request.timeout.ms={request}, "
            "which Kafka's producer refuses: raise the first, or lower the others with --kafka-property"
        )


@dataclass(frozen=True)
class KafkaSettings:
    """Address and login of Kafka. The password stays in its file or variable on the TaskManager."""

    bootstrap_servers: str
    security_protocol: str = security.DEFAULT_PROTOCOL
    sasl_mechanism: str = security.DEFAULT_MECHANISM
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    extra: tuple[tuple[str, str], ...] = ()
    any_password: bool = False
    """The job contains PasswordProvider.java, which escapes passwords; Kafka's own providers do not."""

    def __post_init__(self) -> None:
        for name, needed in (("acks", ("all", "-1")), ("enable.idempotence", ("true",))):
            if (value := dict(self.extra).get(name, needed[0])).lower() not in needed:
                raise KafkaSettingsError(
                    f"{name}={value} would lose or reorder events in silence: set {name}={needed[0]}"
                )
        _check_numbers(dict(self.extra))
        _check_delivery_timeout(dict(self.extra))
        if self.uses_sasl and not self.username:
            raise KafkaSettingsError(
                f"{self.security_protocol} needs a user: set KAFKA_USERNAME, and the password in "
                "KAFKA_PASSWORD_FILE (or KAFKA_PASSWORD) where the TaskManagers run"
            )
        if self.password_file and not PurePosixPath(self.password_file).is_absolute():
            raise KafkaSettingsError(
                f"password file {self.password_file!r}: the TaskManager needs an absolute path"
            )
        for name, value in self.extra:
            if any(word in name.lower() for word in _SECRET_WORDS) and "${" not in value:
                raise KafkaSettingsError(
                    f"{name} is a secret and would show in Flink's UI: refer to it as ${{env:VARIABLE}} "
                    "or ${dir:FOLDER:FILE}"
                )

    @property
    def uses_sasl(self) -> bool:
        return security.uses_sasl(self.security_protocol)

    @property
    def uses_tls(self) -> bool:
        return security.uses_tls(self.security_protocol)

    def producer_properties(self, prefix: str = SHADED) -> dict[str, str]:
        """Kafka producer properties; `prefix` is put before Kafka's class names."""
        properties = _PRODUCER | self.client_properties(prefix)
        # A record waits for a broker equally long before and after it is sent; Kafka's default is half of
        # that.
        return {"max.block.ms": properties["delivery.timeout.ms"]} | properties

    def client_properties(self, prefix: str = SHADED) -> dict[str, str]:
        """Properties of producers and consumers: servers, login, encryption, and what the user added."""
        properties = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "config.providers": "env,dir",
            "config.providers.env.class": f"{prefix}{_PROVIDERS}EnvVarConfigProvider",
            "config.providers.dir.class": f"{prefix}{_PROVIDERS}DirectoryConfigProvider",
        }
        if self.any_password:
            properties |= {
                "config.providers": "env,dir,password",
                "config.providers.password.class": "winevent.PasswordProvider",
            }
        if self.uses_sasl:
            properties |= self._login(prefix)
        if self.ca_file:
            properties |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": self.ca_file}
        return properties | dict(self.extra)

    def _login(self, prefix: str) -> dict[str, str]:
        options = {
            "username": jaas.quote(self.username or ""),
            "password": f'"{self.password_reference}"',
        }
        module = prefix + security.LOGIN_MODULES[self.sasl_mechanism]
        return {
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.jaas.config": jaas.login_entry(module, options),
        }

    @property
    def password_reference(self) -> str:
        """A reference that Kafka's config providers resolve on the TaskManager.

        The job graph has no secret.
        """
        if self.any_password:
            where = f"file:{self.password_file}" if self.password_file else "env:KAFKA_PASSWORD"
            return f"${{password:{where}}}"
        if self.password_file is None:
            return "${env:KAFKA_PASSWORD}"
        path = PurePosixPath(self.password_file)
        return f"${{dir:{path.parent}:{path.name}}}"

    def warnings(self) -> list[str]:
        """Warnings about this connection: what is not encrypted, which files are ignored."""
        files = {"KAFKA_CA_FILE": self.ca_file}
        return warnings_about(self.security_protocol, self.bootstrap_servers, files)
