"""`python -m local_stack.jars.lock` renews jars.lock. Here are the versions of Kafka and its connector."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jgo

from local_stack.jars.jars import LOCK

KAFKA_VERSION = "4.3.1"
FLINK_VERSION = "2.2.1"
S3_VERSION = "2.2.0"  # the newest of this minor version in Maven Central
CONNECTOR_VERSION = "5.0.0-2.2"  # the second half is the Flink version it is built for
DEBEZIUM_VERSION = "3.6.1.Final"  # the newest that is complete in Maven Central
JMX_EXPORTER_VERSION = "1.0.1"  # the newest in Maven Central
LOG4J_VERSION = "2.25.4"  # the version that Kafka requires; Kafka's jars contain no slf4j binding

# Each entry is resolved separately: together, log4j's dependency management would downgrade Kafka's own jars.
ROOTS = {
    "kafka": (
        f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
        f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}",
    ),
    "flink": (f"org.apache.flink:flink-sql-connector-kafka:{CONNECTOR_VERSION}",),
    # One jar each: its dependencies are inside, or in Flink's lib folder.
    "sql": (f"org.apache.flink:flink-sql-gateway:{FLINK_VERSION}",),
    "s3": (f"org.apache.flink:flink-s3-fs-hadoop:{S3_VERSION}",),
    # Debezium as a plugin of Kafka Connect, without the jars of Connect itself.
    "cdc": (f"io.debezium:debezium-connector-postgres:{DEBEZIUM_VERSION}",),
    "observe": (f"io.prometheus.jmx:jmx_prometheus_javaagent:{JMX_EXPORTER_VERSION}",),
}
ALONE = ("sql", "s3")
PLUGINS = ("cdc",)  # dependencies of the section `kafka`


def resolve(roots: Iterable[str]) -> list[Any]:
    found = {a.artifactId: a for root in reversed(tuple(roots)) for a in jgo.resolve(root)}
    return list(found.values())


def alone(roots: Iterable[str]) -> list[Any]:
    """The jars of the roots without their dependencies."""
    context = jgo.maven.MavenContext(timeout=60)
    parts = [root.split(":") for root in roots]
    return [context.project(group, name).at_version(version).artifact() for group, name, version in parts]


def without(artifacts: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The jars that `others` do not have in any version."""
    known = {(other.groupId, other.artifactId) for other in others}
    return [each for each in artifacts if (each.groupId, each.artifactId) not in known]


def render(sections: dict[str, list[Any]]) -> str:
    lines = ["# group:artifact:version sha256. Made by: python -m local_stack.jars.lock"]
    for section, artifacts in sections.items():
        lines += ["", f"[{section}]"]
        lines += sorted(_line(artifact) for artifact in artifacts)
    return "\n".join(lines) + "\n"


def _line(artifact: Any) -> str:
    digest = hashlib.sha256(Path(artifact.resolve()).read_bytes()).hexdigest()
    return f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} {digest}"


if __name__ == "__main__":
    sections = {n: alone(roots) if n in ALONE else resolve(roots) for n, roots in ROOTS.items()}
    sections |= {name: without(sections[name], sections["kafka"]) for name in PLUGINS}
    LOCK.write_text(render(sections), encoding="utf-8")
