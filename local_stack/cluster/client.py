"""The `flink` command of a stack: a script that starts Flink's client and nothing else."""

from __future__ import annotations

import shlex

from local_stack.cluster.configuration import merged
from local_stack.cluster.flink_java import flink_home, java_command, program_environment
from local_stack.layout import DEPLOY, Stack


def client_script(stack: Stack) -> str:
    """The script, for /bin/sh. JVM_ARGS adds options for Java, as with Flink's own script."""
    settings = merged(flink_home() / "conf" / "config.yaml", [DEPLOY / "flink" / "config.yaml"])
    java = shlex.join(java_command(stack, settings, "client", ("flink-client.log", "log4j-cli.properties")))
    exports = [f"export {name}={shlex.quote(value)}" for name, value in program_environment(stack).items()]
    return "\n".join([*exports, f'exec {java} $JVM_ARGS org.apache.flink.client.cli.CliFrontend "$@"'])
