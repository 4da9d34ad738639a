"""Connection settings, secrets, and the message for each error of the client."""

from __future__ import annotations

import base64
import hashlib
import re
import stat
from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from consumer.verify_cli import main as verify
from detection.cli import main as detect
from forward.cli import main as forward
from kafka_setup.connection.broker_login import ITERATIONS, write_broker_login
from kafka_setup.connection.diagnosis import diagnose
from kafka_setup.connection.jaas import escape
from kafka_setup.connection.passwords import known_passwords, new_password, password_file, store_password
from kafka_setup.connection.settings import ConnectionSettingsError, KafkaConnection, Secret, read_password
from kafka_setup.topology.resources import User

SCRAM = KafkaConnection("broker:9092", username="u", password=Secret("canary"))
USER = User("bridge", "BRIDGE_PASSWORD")


def test_a_password_never_prints_itself() -> None:
    assert "canary" not in repr(SCRAM)
    assert "canary" not in repr(SCRAM.password)
    assert SCRAM.client_settings()["sasl.password"] == "canary"


def test_a_password_comes_from_the_variable_then_its_file_then_the_folder(tmp_path: Path) -> None:
    store_password(tmp_path / "bridge", Secret("from folder"))
    file = tmp_path / "named"
    file.write_text("from file\r\n")
    assert known_passwords([USER], {}, tmp_path) == {"bridge": "from folder"}
    environment = {"BRIDGE_PASSWORD_FILE": str(file)}
    assert known_passwords([USER], environment, tmp_path) == {"bridge": "from file"}
    environment["BRIDGE_PASSWORD"] = "from variable"
    assert known_passwords([USER], environment, tmp_path) == {"bridge": "from variable"}
    assert known_passwords([USER], {}) == {}


def test_an_unreadable_password_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectionSettingsError, match=r"BRIDGE_PASSWORD_FILE=.*gone"):
        read_password({"BRIDGE_PASSWORD_FILE": str(tmp_path / "gone")}, "BRIDGE_PASSWORD")


def test_a_stored_password_is_for_its_owner_only(tmp_path: Path) -> None:
    path = password_file(tmp_path / "secrets", "u")
    password = new_password()
    store_password(path, password)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == str(password)  # no line break: the job would refuse it
    assert len(set(password)) > 10


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    end=st.sampled_from(["", "\n", "\r\n"]),
)
def test_any_password_is_kept_in_a_file_with_or_without_a_line_break_behind_it(
    tmp_path_factory: pytest.TempPathFactory, text: str, end: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-password"
    path.write_bytes((text + end).encode())
    assert read_password({"P_FILE": str(path)}, "P") == text.rstrip("\r\n")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "bridge").write_bytes(b"caf\xe9")
    with pytest.raises(ConnectionSettingsError, match=r"bridge: not UTF-8 text, byte 3"):
        known_passwords([USER], {}, tmp_path)


def test_a_user_called_like_a_path_stays_in_the_folder(tmp_path: Path) -> None:
    assert password_file(tmp_path, "../kafka/broker.example").parent == tmp_path


@pytest.mark.parametrize(
    ("password", "inside_quotes"),
    [
        ("plain,with=signs", "plain,with=signs"),
        (r"Win\Temp9", r"Win\\Temp9"),
        ('say "no"\\', r"say \"no\"\\"),
        ("two\nlines", r"two\nlines"),
        ("Gräfin", "Gräfin"),
    ],
)
def test_a_broker_gets_its_logins_as_jaas_and_salted(
    tmp_path: Path, password: str, inside_quotes: str
) -> None:
    assert escape(password) == inside_quotes
    (tmp_path / "kafka").write_text(f"{password}\n", encoding="utf-8")
    (tmp_path / "controller").write_text("c")
    write_broker_login(tmp_path, tmp_path / "broker", "kafka", "controller")
    written = {str(file.relative_to(tmp_path / "broker")): file for file in (tmp_path / "broker").rglob("*")}
    assert written.keys() == {"secrets", "secrets/kafka", "secrets/controller", "kafka.scram"}
    assert written["secrets/kafka"].read_text(encoding="utf-8") == inside_quotes
    assert {stat.S_IMODE(file.stat().st_mode) for file in written.values() if file.is_file()} == {0o600}
    salt, salted = re.findall(r'salt(?:edpassword)?="([^"]+)"', written["kafka.scram"].read_text())
    expected = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), ITERATIONS)
    assert base64.b64decode(salted) == expected


def test_generated_passwords_differ() -> None:
    assert len({str(new_password()) for _ in range(100)}) == 100


REFUSED_PASSWORD = (
    "sasl_plaintext://broker:9092/bootstrap: SASL authentication error: Authentication failed during "
    "authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 "
    "(after 318ms in state AUTH_REQ)"
)
REFUSED_MECHANISM = (
    "sasl_plaintext://broker:9092/bootstrap: SASL SCRAM-SHA-256 mechanism handshake failed: Broker: "
    "Unsupported SASL mechanism: broker's supported mechanisms: SCRAM-SHA-512,PLAIN "
    "(after 301ms in state AUTH_HANDSHAKE)"
)
UNKNOWN_HOST = (
    "sasl_plaintext://broker:9092/bootstrap: Failed to resolve 'broker:9092': Name or service not known "
    "(after 0ms in state CONNECT)"
)


@pytest.mark.parametrize(
    ("name", "text", "final", "says"),
    [
        ("_AUTHENTICATION", REFUSED_PASSWORD, True, "check KAFKA_USERNAME and KAFKA_PASSWORD"),
        ("_AUTHENTICATION", REFUSED_MECHANISM, True, "KAFKA_SASL_MECHANISM to one of SCRAM-SHA-512, PLAIN"),
        ("_RESOLVE", UNKNOWN_HOST, False, "unknown host broker:9092"),
        ("_TRANSPORT", "x://b/1: Connect to b failed: Connection refused (after 0ms in state CONNECT)", False,
         "nothing listens on broker:9092"),
    ],
)  # fmt: skip
def test_diagnosis_says_what_to_do(name: str, text: str, final: bool, says: str) -> None:
    diagnosis = diagnose(name, text, SCRAM)
    assert diagnosis is not None
    assert diagnosis.final is final
    assert says in diagnosis.text
    assert "\n" not in diagnosis.text


def test_what_adds_nothing_is_left_out() -> None:
    assert diagnose("_ALL_BROKERS_DOWN", "1/1 brokers are down", SCRAM) is None


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        (verify, ["--topic", "t", "--seed", "1", "--count", "5"]),
        (detect, ["--topic", "t"]),
        (forward, ["--topic", "t", "--stream", "s"]),
    ],
)
def test_a_ca_file_that_is_no_pem_file_is_named_by_every_tool(
    tool: Command, words: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_CA_FILE": str(file),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    result = CliRunner().invoke(tool, words, env=environment)
    assert result.exit_code == 1
    assert f"KAFKA_CA_FILE={file} cannot be used: is it a PEM file?" in result.output
