"""The shell of `win-event-stack env`: the commands that it puts on the PATH, and its variables."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from kafka_setup.connection.security import DEFAULT_MECHANISM, LOGIN_MODULES
from local_stack.broker.broker import java_command
from local_stack.broker.kafka_objects import stack_topology, topic_variables
from local_stack.broker.stack_passwords import SUPER_USER
from local_stack.cluster import flink_java
from local_stack.cluster.configuration import merged
from local_stack.jars.java import SHORT_LIVED
from local_stack.layout import COMMANDS, DEPLOY, Stack, default_directory
from local_stack.processes import StartError
from toolkit.atomic_file import write_atomically

KAFKA_TOOLS = {
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-transactions.sh": "org.apache.kafka.tools.TransactionsCommand",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
}

_CLIENT = r"""security.protocol={protocol}
sasl.mechanism={mechanism}
config.providers=dir
config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider
sasl.jaas.config={login_module} required \
  username="{user}" password="${{dir:{secrets}:{user}}}";
"""


def client_config(stack: Stack, user: str) -> Path:
    """The file with a user's login for the console tools; it only refers to the password."""
    return stack.directory / "kafka" / f"{user}.properties"


def write_tools(stack: Stack) -> None:
    for user in (SUPER_USER, *(user.name for user in stack_topology(stack).users)):
        text = _CLIENT.format(
            user=user,
            secrets=stack.kafka_logins,
            protocol=stack.security_protocol,
            mechanism=DEFAULT_MECHANISM,
            login_module=LOGIN_MODULES[DEFAULT_MECHANISM],
        )
        if stack.ca_file:
            text += f"ssl.truststore.type=PEM\nssl.truststore.location={stack.ca_file}\n"
        write_atomically(client_config(stack, user), text, mode=0o600)
    for name, main_class in KAFKA_TOOLS.items():
        options = ["-Xmx256m", *(() if "console" in name else SHORT_LIVED)]
        java = shlex.join([*java_command(stack), *options, main_class])
        _write_script(stack.bin / name, f'exec {java} "$@"')
    _write_script(stack.bin / "flink", _flink_client(stack))


def _flink_client(stack: Stack) -> str:
    """A script for /bin/sh that starts Flink's client and nothing else.

    JVM_ARGS adds options for Java, as with Flink's own script.
    """
    settings = merged(flink_java.flink_home() / "conf" / "config.yaml", [DEPLOY / "flink" / "config.yaml"])
    java = shlex.join(
        flink_java.java_command(stack, settings, "client", ("flink-client.log", "log4j-cli.properties"))
    )
    exports = [
        f"export {name}={shlex.quote(value)}" for name, value in flink_java.program_environment(stack).items()
    ]
    return "\n".join([*exports, f'exec {java} $JVM_ARGS org.apache.flink.client.cli.CliFrontend "$@"'])


def login(stack: Stack, user: str) -> dict[str, str]:
    """Variables with which every tool logs in as `user`. Raises StartError if there is no such user."""
    names = [each.name for each in stack_topology(stack).users]
    if user not in names:
        raise StartError(f"the topology has no user {user!r}. There are: {', '.join(names)}")
    # Another password would have priority over the file.
    return {"KAFKA_USERNAME": user, "KAFKA_PASSWORD_FILE": str(stack.secrets / user), "KAFKA_PASSWORD": ""}


def exports(stack: Stack) -> dict[str, str]:
    """The environment of a shell for this stack; each tool logs in as its own user."""
    files = {
        "KAFKA_CA_FILE": stack.ca_file,
        "WIN_EVENT_TOPOLOGY": stack.topology,
        "WIN_EVENT_JAR_DIR": os.environ.get("WIN_EVENT_JAR_DIR"),
    }
    cache = {"WIN_EVENT_CACHE": stack.cache_url, "WIN_EVENT_CACHE_PASSWORD_FILE": str(stack.cache_password)}
    return {
        **flink_java.flink_environment(stack),
        **(cache if stack.cache else {}),
        **{name: str(file) for name, file in files.items() if file},
        **topic_variables(stack),
        "WIN_EVENT_STACK_DIR": str(stack.directory),
        "WIN_EVENT_PASSWORD_DIR": str(stack.secrets),
        "KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": stack.security_protocol,
        "KAFKA_SASL_MECHANISM": DEFAULT_MECHANISM,
        "KAFKA_READER_CONFIG": str(client_config(stack, "reader")),
        "KAFKA_ADMIN_CONFIG": str(client_config(stack, "admin")),
    }


# Variables that a shell may still have from another stack, or from `--as`.
_OF_ANOTHER_STACK = (
    "KAFKA_USERNAME",
    "KAFKA_PASSWORD",
    "KAFKA_PASSWORD_FILE",
    "KAFKA_CA_FILE",
    "KAFKA_TOPIC",
    "KAFKA_REJECTED_TOPIC",
    "WIN_EVENT_TOPOLOGY",
    "WIN_EVENT_CACHE",
    "WIN_EVENT_CACHE_PASSWORD_FILE",
    "FLINK_PLUGINS_DIR",
)


def render_exports(stack: Stack, user: str | None = None) -> str:
    """The exports as shell code; with a `user`, every tool logs in as that one. Raises StartError."""
    folders = f"{stack.bin}:{COMMANDS}"
    variables = exports(stack) | (login(stack, user) if user else {})
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    forgotten = [f"unset {name}" for name in _OF_ANOTHER_STACK if name not in variables]
    return "\n".join([f'export PATH={shlex.quote(folders)}:"$PATH"', *lines, *forgotten]) + "\n"


def how_to_enter(stack: Stack) -> str:
    """The line that sets up any POSIX shell, in any folder, for this stack."""
    command = shlex.join([str(COMMANDS / "win-event-stack"), "env"])
    if stack.directory != default_directory(elsewhere=True):
        command = f"WIN_EVENT_STACK_DIR={shlex.quote(str(stack.directory))} {command}"
    return f'eval "$({command})"'


def _write_script(path: Path, body: str) -> None:
    write_atomically(path, f"#!/bin/sh\n{body}\n", mode=0o755)
