"""test_jaas runs this in a separate interpreter: it reads quoted values with the parser that Kafka uses."""

from __future__ import annotations

import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyflink.java_gateway import get_gateway

from flink_bridge.kafka.settings import SHADED
from kafka_setup.connection import jaas

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1, max_size=40
)
SPECIAL = st.text(st.sampled_from("\\\"';=/# \tn1aü"), min_size=1, max_size=20)


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(TEXTS | SPECIAL, TEXTS | SPECIAL)
def check(username: str, password: str) -> None:
    kafka = get_gateway().jvm.org.apache.flink.kafka.shaded.org.apache.kafka.common
    module = f"{SHADED}org.apache.kafka.common.security.scram.ScramLoginModule"
    entry = jaas.login_entry(module, {"username": jaas.quote(username), "password": jaas.quote(password)})
    configs = get_gateway().jvm.java.util.HashMap()
    configs.put("sasl.jaas.config", kafka.config.types.Password(entry))
    (found,) = kafka.security.JaasContext.loadClientContext(configs).configurationEntries()
    assert found.getOptions()["username"] == username
    assert found.getOptions()["password"] == password


if __name__ == "__main__":
    check()
    sys.stdout.write("every value came back as it went in\n")
