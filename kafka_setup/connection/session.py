"""Opens a connection to the cluster. Retries while a broker starts, not after a refused login."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_exponential,
    wait_fixed,
)

from kafka_setup.connection.diagnosis import Diagnosis, diagnose, wrong_settings
from kafka_setup.connection.listener import protocol_mismatch
from kafka_setup.connection.settings import REQUEST_TIMEOUT, KafkaConnection
from kafka_setup.connection.tls import certificate_problem

DEFAULT_WAIT = 60.0  # seconds
_PATIENCE = 3.0  # seconds for which the client may try again before the reason is told
_POLL = 0.05  # seconds between two calls of the client's error callbacks

# librdkafka would write to stderr; its messages arrive here as errors.
_quiet = logging.getLogger("kafka_setup.librdkafka")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False
QUIET_CLIENT: dict[str, Any] = {"logger": _quiet, "log_level": 0}

VISIBLE_WITHIN = 60.0  # seconds in which a KRaft cluster must show a change that it has accepted
LATE = f"accepted, but not visible after {VISIBLE_WITHIN:.0f} s"

_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND)

Thing = TypeVar("Thing")
Name = TypeVar("Name")
Answer = TypeVar("Answer")
Client = TypeVar("Client")
OnWait = Callable[[str], None]


class KafkaUnavailableError(Exception):
    """No working connection; the text is one line that says what failed and what to try."""


class WrongProtocolError(KafkaUnavailableError):
    """The listener uses TLS and the settings do not, or the reverse: trying again cannot help."""


class LoginRefusedError(KafkaUnavailableError):
    """The broker refused the login: trying again with the same settings cannot help."""


class MechanismRefusedError(LoginRefusedError):
    """The listener does not offer the SASL mechanism; `offered` lists those that it offers, as text."""

    def __init__(self, text: str, offered: str) -> None:
        super().__init__(text)
        self.offered = offered


class NotReadyError(KafkaUnavailableError):
    """No answer yet: trying again may help."""


def open_admin(
    connection: KafkaConnection,
    *,
    wait: float = DEFAULT_WAIT,
    on_wait: OnWait | None = None,
) -> AdminClient:
    """A connected admin client, waiting at most `wait` seconds for the broker.

    `on_wait` is called once with each new reason; a KeyboardInterrupt ends the wait at once.
    Raises WrongProtocolError and LoginRefusedError at once, NotReadyError when the time is over.
    """
    tell, end = _once(on_wait), time.monotonic() + wait

    def attempt() -> AdminClient:
        # All the time that is left: a busy broker may need more than a part of it for one login.
        return connect(connection, max(end - time.monotonic(), 1.0), _PATIENCE, tell)

    retrying = Retrying(
        retry=retry_if_exception_type(NotReadyError),
        stop=stop_after_delay(wait),
        wait=wait_exponential(multiplier=0.25, max=3),
        before_sleep=lambda state: tell(str(state.outcome.exception() if state.outcome else "")),
    )
    try:
        return retrying(attempt)
    except RetryError as error:
        reason = error.last_attempt.exception()
        raise NotReadyError(f"{reason} (waited {wait:.0f} s)") from error


def _once(on_wait: OnWait | None) -> OnWait:
    told: set[str] = set()

    def tell(reason: str) -> None:
        if on_wait and reason not in told:
            told.add(reason)
            on_wait(reason)

    return tell


def connect(
    connection: KafkaConnection,
    timeout: float = REQUEST_TIMEOUT,
    patience: float | None = None,
    on_silence: OnWait | None = None,
) -> AdminClient:
    """One attempt. Raises WrongProtocolError, LoginRefusedError or NotReadyError.

    `patience`: seconds after which a reason that may pass ends the attempt, if not `timeout`. If there is
    no reason by then, `on_silence` is told so, again and again, while the attempt goes on.
    """
    require_protocol(connection)
    errors: list[KafkaError] = []
    admin = new_client(AdminClient, connection, {"error_cb": errors.append, "reconnect.backoff.ms": 200})
    answer = admin.describe_cluster(request_timeout=timeout)
    began = time.monotonic()
    while not answer.done() and time.monotonic() < began + timeout:
        admin.poll(_POLL)
        diagnosis = _worst(errors, connection)
        if diagnosis and diagnosis.final:
            raise _refused(diagnosis, connection)
        if time.monotonic() > began + (timeout if patience is None else patience):
            if diagnosis:
                raise NotReadyError(_precisely(diagnosis, connection))
            if on_silence:
                on_silence(_silent(connection))
    try:
        answer.result(timeout=_POLL)
    except (KafkaException, FutureTimeout) as error:
        admin.poll(0)
        diagnosis = _worst(errors, connection) or Diagnosis(False, _silent(connection))
        if diagnosis.final:
            raise _refused(diagnosis, connection) from error
        raise NotReadyError(_precisely(diagnosis, connection)) from error
    return admin


def _silent(connection: KafkaConnection) -> str:
    return f"{connection.bootstrap_servers} does not answer: still starting?"


def new_client(kind: Callable[[Any], Client], connection: KafkaConnection, more: Mapping[str, Any]) -> Client:
    """A Consumer, Producer or AdminClient with these `more` settings, not connected yet.

    Raises LoginRefusedError if the settings themselves are wrong: a CA file that is no PEM file, for example.
    """
    try:
        return kind({**connection.client_settings(), **QUIET_CLIENT, **more})
    except KafkaException as error:
        raise LoginRefusedError(wrong_settings(error.args[0].str(), connection)) from error


def require_protocol(connection: KafkaConnection) -> None:
    """Check that both sides use TLS, or neither. Raises WrongProtocolError.

    Every tool calls it first, because Kafka's client would only report that there is no answer.
    """
    if mismatch := protocol_mismatch(connection.bootstrap_servers, connection.security_protocol):
        raise WrongProtocolError(mismatch)


def _refused(diagnosis: Diagnosis, connection: KafkaConnection) -> LoginRefusedError:
    if diagnosis.offered:
        return MechanismRefusedError(diagnosis.text, diagnosis.offered)
    return LoginRefusedError(_precisely(diagnosis, connection))


def _precisely(diagnosis: Diagnosis, connection: KafkaConnection) -> str:
    return (certificate_problem(connection) if diagnosis.handshake else None) or diagnosis.text


def _worst(errors: list[KafkaError], connection: KafkaConnection) -> Diagnosis | None:
    diagnoses = [found for error in errors if (found := diagnose(error.name(), error.str(), connection))]
    final = [diagnosis for diagnosis in diagnoses if diagnosis.final]
    chosen = final or diagnoses
    return chosen[-1] if chosen else None


def until_none_missing(missing: Callable[[], set[Thing]]) -> set[Thing]:
    """Wait until nothing is missing; returns what is still missing when the time is over."""

    def last(state: RetryCallState) -> set[Thing]:
        return state.outcome.result() if state.outcome else set()

    looking = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_delay(VISIBLE_WITHIN),
        wait=wait_fixed(0.1),
        retry_error_callback=last,
    )
    return looking(missing)


def only(futures: Mapping[Any, Future[Any]]) -> Future[Any]:
    """The only future of a request with one element."""
    (future,) = futures.values()
    return future


def that_exist(answers: Mapping[Name, Future[Answer]]) -> dict[Name, Answer]:
    """The answers about existing topics and groups. One may be deleted between two requests.

    Raises KafkaException when a request failed for another reason.
    """
    found = {}
    for name, future in answers.items():
        try:
            found[name] = future.result()
        except KafkaException as error:
            if error.args[0].code() not in _GONE:
                raise
    return found


def refusal(error: KafkaError) -> str:
    """The broker's code and message, as one line."""
    return f"{error.name()}: {error.str()}"
