"""The bridge: lines from TCP into Kafka, as a PyFlink job.

`flink run -py flink_bridge/job.py` and `python flink_bridge/job.py` (an in-process cluster) both work.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if not __package__:
    # Started as a script: Python put this folder on the path, where the imports need the one above it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import click

from flink_bridge.guarantee import guarantee
from flink_bridge.job_cli import (
    flink_needed,
    print_notes,
    submitting,
    told,
    waiting_for_kafka,
)
from flink_bridge.job_options_cli import describe_option, version_option
from flink_bridge.kafka.options_cli import examine, print_description
from flink_bridge.options_cli import bridge_options, take_settings
from flink_bridge.settings import BridgeSettings


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@version_option()
@describe_option()
@bridge_options
def main(describe: bool, **values: Any) -> None:
    """Carry lines from TCP into Kafka: events into one topic, all other lines into another.

    Every option can also be set in the environment. If both are set, the option is used.
    On a cluster this needs Flink 2.2 with flink-sql-connector-kafka in its lib folder.

    \b
    Examples:
      flink run -d -py flink_bridge/job.py --hostname 127.0.0.1 --port 9999 \\
        --kafka-bootstrap-servers 127.0.0.1:9092 --kafka-topic events_processed \\
        --kafka-security-protocol SASL_PLAINTEXT
      flink run -d -py flink_bridge/job.py --key-field agent.host,computer --timestamp-zone Europe/Berlin \\
        --headers source,level,event_id --require timestamp,level,source,message
      python flink_bridge/job.py --hostname a.example:9999,b.example:9999
    """
    settings = take_settings(values)
    if describe:
        print_description(settings.kafka, values["check"], **settings.description())
        return
    examine(settings.kafka, values["check"])
    with told():
        _submit(settings, values["check"])


def _submit(settings: BridgeSettings, check: bool) -> None:
    # These load Flink: --help and usage errors need not wait for it.
    with flink_needed():
        from flink_bridge import graph
    from flink_bridge.before_submission import look_before
    from flink_bridge.jvm.classes import CLASSES, KAFKA_CLASSES
    from flink_bridge.kafka import preflight

    with submitting("bridge", CLASSES + KAFKA_CLASSES) as (prefix, jar):
        with waiting_for_kafka(settings.kafka.bootstrap_servers):
            settings, notes = look_before(settings, prefix, check)
        print_notes([*notes, guarantee(settings, preflight.heartbeat_timeout())])
        graph.run(settings, prefix, jar)


if __name__ == "__main__":
    main()
