"""Endpoints, field paths, Kafka properties and the guarantee: pure values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_bridge.guarantee import guarantee
from flink_bridge.jvm.field_path import FieldPathError, parse_field
from flink_bridge.kafka.preflight import secret_at_hand
from flink_bridge.kafka.settings import SHADED, KafkaSettings, KafkaSettingsError
from flink_bridge.settings import BridgeSettings, EventSettings, SettingsError, parse_endpoints
from kafka_setup.connection import jaas
from producer.endpoint import Endpoint, EndpointError

KAFKA = KafkaSettings("127.0.0.1:9092", username="bridge", password_file="/run/secrets/bridge")


@pytest.mark.parametrize(
    ("text", "endpoints"),
    [
        ("a", [Endpoint("a", 9999)]),
        ("a:1, b", [Endpoint("a", 1), Endpoint("b", 9999)]),
        ("[::1]:7", [Endpoint("::1", 7)]),
        ("::1", [Endpoint("::1", 9999)]),
    ],
)
def test_endpoints(text: str, endpoints: list[Endpoint]) -> None:
    assert list(parse_endpoints(text, 9999)) == endpoints


@pytest.mark.parametrize("text", ["", ",", ":5", "a:b", "a:0", "a:70000", "a:1,a:1"])
def test_endpoints_that_cannot_be(text: str) -> None:
    with pytest.raises(EndpointError):
        parse_endpoints(text, 9999)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("computer", [("computer",)]),
        ("winlog.computer_name", [("winlog", "computer_name"), ("winlog.computer_name",)]),
        ("@timestamp", [("@timestamp",)]),
        ("$.a.b", [("a", "b")]),
        ("$['a.b'].c", [("a.b", "c")]),
    ],
)
def test_field_paths(text: str, places: list[tuple[str, ...]]) -> None:
    assert list(parse_field(text).places) == places


@pytest.mark.parametrize("text", ["", "a..b", "$", "$..a", "$.*", "$[0]", "a'b", "$.a[?(@.b)]"])
def test_paths_that_are_not_one_field(text: str) -> None:
    with pytest.raises(FieldPathError):
        parse_field(text)


def test_the_password_is_a_reference() -> None:
    properties = KAFKA.producer_properties()
    assert properties["sasl.jaas.config"] == (
        f"{SHADED}org.apache.kafka.common.security.scram.ScramLoginModule required "
        'username="bridge" password="${dir:/run/secrets:bridge}";'
    )
    assert properties["config.providers.dir.class"].startswith(SHADED)
    from_variable = KafkaSettings("b:1", username="u").producer_properties("")
    assert 'password="${env:KAFKA_PASSWORD}"' in from_variable["sasl.jaas.config"]
    assert "shaded" not in str(from_variable)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_every_mechanism_has_its_login(mechanism: str, protocol: str) -> None:
    settings = KafkaSettings("b:1", protocol, mechanism, "u", ca_file="/ca.pem")
    properties = settings.producer_properties()
    assert properties["sasl.mechanism"] == mechanism
    assert "LoginModule required" in properties["sasl.jaas.config"]
    assert properties["ssl.truststore.location"] == "/ca.pem"


@pytest.mark.parametrize(
    ("extra", "waits"),
    [
        ((), "120000"),
        ((("delivery.timeout.ms", "600000"),), "600000"),
        ((("max.block.ms", "5"),), "5"),
    ],
)
def test_a_write_waits_for_a_broker_as_long_as_a_delivery(
    extra: tuple[tuple[str, str], ...], waits: str
) -> None:
    settings = KafkaSettings("b:1", "PLAINTEXT", extra=extra)
    assert settings.producer_properties()["max.block.ms"] == waits


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"delivery.timeout.ms": "2min"}, "delivery.timeout.ms=2min: expected a whole number"),
        ({"delivery.timeout.ms": "${env:X}"}, "expected a whole number"),
        ({"delivery.timeout.ms": "1_000_000"}, "expected a whole number"),
        ({"delivery.timeout.ms": "3000000000"}, "expected 0 to 2147483647"),
        ({"max.request.size": "1MB"}, "max.request.size=1MB: expected a whole number"),
        ({"buffer.memory": "64 MiB"}, "expected a whole number"),
        ({"max.block.ms": ""}, "expected a whole number"),
        ({"delivery.timeout.ms": "30019"}, r"30019 is less than linger.ms=20 \+ request.timeout.ms=30000"),
        ({"request.timeout.ms": "200000"}, "120000 is less than"),
        ({"linger.ms": "100000"}, "120000 is less than"),
    ],
)
def test_numbers_that_kafka_refuses_are_found_before_submission(extra: dict[str, str], said: str) -> None:
    with pytest.raises(KafkaSettingsError, match=said):
        KafkaSettings("b:1", "PLAINTEXT", extra=tuple(extra.items()))


def test_numbers_that_kafka_takes() -> None:
    for extra in (
        {"delivery.timeout.ms": "30020"},
        {"delivery.timeout.ms": "1000", "request.timeout.ms": "900", "linger.ms": "100"},
        {"send.buffer.bytes": "-1", "metadata.max.age.ms": "${env:AGE}", "client.id": "2min"},
    ):
        KafkaSettings("b:1", "PLAINTEXT", extra=tuple(extra.items()))


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
def test_without_sasl_there_is_no_login(protocol: str) -> None:
    assert "sasl.jaas.config" not in KafkaSettings("b:1", protocol).producer_properties()


def test_settings_that_cannot_work() -> None:
    with pytest.raises(KafkaSettingsError, match="KAFKA_USERNAME"):
        KafkaSettings("b:1")
    with pytest.raises(KafkaSettingsError, match="absolute"):
        KafkaSettings("b:1", username="u", password_file="relative")
    with pytest.raises(KafkaSettingsError, match="secret"):
        KafkaSettings("b:1", username="u", extra=(("ssl.key.password", "hunter2"),))
    KafkaSettings("b:1", username="u", extra=(("ssl.key.password", "${env:KEY}"),))
    with pytest.raises(KafkaSettingsError, match="acks=1 would lose or reorder events"):
        KafkaSettings("b:1", username="u", extra=(("acks", "1"),))
    with pytest.raises(KafkaSettingsError, match=r"set enable\.idempotence=true"):
        KafkaSettings("b:1", username="u", extra=(("enable.idempotence", "false"),))
    KafkaSettings("b:1", username="u", extra=(("acks", "-1"), ("enable.idempotence", "True")))
    exact = {"delivery": "exactly-once", "checkpoint_interval": 60.0}
    with pytest.raises(KafkaSettingsError, match="--transaction-timeout 60 is not above"):
        BridgeSettings((Endpoint("a", 1),), KAFKA, transaction_timeout=60, **exact)
    BridgeSettings((Endpoint("a", 1),), KAFKA, transaction_timeout=61, **exact)
    with pytest.raises(SettingsError, match="name two"):
        BridgeSettings((Endpoint("a", 1),), KAFKA, topic="t", rejected_topic="t")


@pytest.mark.parametrize("zone", ["UTC", "+01:00", "-09:30", "Europe/Berlin"])
def test_zones(zone: str) -> None:
    assert EventSettings(timestamp_zone=zone).timestamp_zone == zone


@pytest.mark.parametrize(
    "zone", ["", "CEST", "+1", "+19:00", "+01:60", "Europe/Nowhere", "/etc/passwd", "\0"]
)
def test_zones_that_are_none(zone: str) -> None:
    with pytest.raises(SettingsError, match="time zone"):
        EventSettings(timestamp_zone=zone)


def test_only_clear_text_off_this_machine_is_warned_of() -> None:
    assert KAFKA.warnings() == []
    assert "SASL_SSL" in KafkaSettings("kafka.example:9092", username="u").warnings()[0]
    assert KafkaSettings("kafka.example:9092", "SASL_SSL", username="u").warnings() == []


def test_an_authority_that_is_not_used_is_warned_of() -> None:
    (said,) = KafkaSettings("127.0.0.1:9092", username="u", ca_file="/ca.pem").warnings()
    assert "KAFKA_CA_FILE=/ca.pem is not used: SASL_PLAINTEXT has no TLS" in said
    assert KafkaSettings("127.0.0.1:9092", "SASL_SSL", username="u", ca_file="/ca.pem").warnings() == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")))
def test_a_quoted_value_ends_where_it_should(value: str) -> None:
    quoted = jaas.quote(value)
    inner = quoted[1:-1]
    jaas.check_inserted_verbatim(inner, "the file")  # no quote in it is left open
    assert re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) == value


@pytest.mark.parametrize("secret", ["line\n", 'a"b', "ends with \\", 'even \\\\"'])
def test_secrets_that_would_break_the_login_are_refused(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(secret)
    with pytest.raises(jaas.JaasError, match="secret"):
        secret_at_hand(KafkaSettings("b:1", username="u", password_file=str(file)), {})


def test_a_secret_out_of_reach_is_not_an_error() -> None:
    assert not secret_at_hand(KafkaSettings("b:1", username="u", password_file="/no/such/file"), {})
    assert not secret_at_hand(KafkaSettings("b:1", username="u"), {})
    assert secret_at_hand(KafkaSettings("b:1", username="u"), {"KAFKA_PASSWORD": "p"})


def test_the_guarantee_has_the_delivery_timeout_of_the_user() -> None:
    kafka = KafkaSettings("b:1", "PLAINTEXT", extra=(("delivery.timeout.ms", "300000"),))
    assert "Kafka is away for less than 300 s" in guarantee(BridgeSettings((Endpoint("a", 1),), kafka), 50)


def test_the_guarantee_is_what_the_settings_give() -> None:
    endpoints = (Endpoint("a", 1),)
    socket = guarantee(BridgeSettings(endpoints, KAFKA, source="socket", checkpoint_interval=2), 10)
    assert "may lose" in socket
    assert "the lines of 17.5 s (checkpoint interval 2, " in socket
    assert "at least once" in guarantee(BridgeSettings(endpoints, KAFKA, source="resume"), 50)
    exact = BridgeSettings(endpoints, KAFKA, source="resume", delivery="exactly-once")
    assert "exactly once" in guarantee(exact, 50)
    auto = guarantee(BridgeSettings(endpoints, KAFKA, delivery="exactly-once"), 50)
    assert "each line of a win-event-producer is delivered exactly once" in auto
    assert "From any other server of lines, nothing is lost while the connection is open" in auto
    plain = BridgeSettings(endpoints, KAFKA, source="socket", delivery="exactly-once")
    assert "exactly once" not in guarantee(plain, 50)


def test_tls_needs_what_belongs_together() -> None:
    def with_tls(**values: Any) -> BridgeSettings:
        return BridgeSettings((Endpoint("a", 1),), KAFKA, tls=True, **values)

    with pytest.raises(SettingsError, match="--tls-cert and --tls-key go together"):
        with_tls(tls_cert_file="/c.pem")
    with pytest.raises(SettingsError, match=r"--tls-key 'k\.pem': the TaskManager needs an absolute path"):
        with_tls(tls_cert_file="/c.pem", tls_key_file="k.pem")
    with pytest.raises(SettingsError, match="use --source auto"):
        with_tls(source="socket")
