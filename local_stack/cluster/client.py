"""The `flink` command of a stack: a script that starts Flink's client and nothing else.

The script that Flink ships starts two more JVMs, to read the configuration and Java's version. Both are known
here, so each `flink run` takes a second less.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from local_stack.cluster.cluster import flink_environment, flink_home, flink_jars
from local_stack.cluster.configuration import merged
from local_stack.jars.jars import read_lock
from local_stack.jars.java import java_home
from local_stack.layout import DEPLOY, Stack


def client_script(stack: Stack) -> str:
    """For /bin/sh. JVM_ARGS adds options for Java, as with Flink's own script."""
    settings = merged(flink_home() / "conf" / "config.yaml", [DEPLOY / "flink" / "config.yaml"])
    variables = {
        "FLINK_BIN_DIR": str(flink_home() / "bin"),
        "FLINK_OPT_DIR": str(flink_home() / "opt"),  # where the client looks for the jar of PyFlink
        "FLINK_PLUGINS_DIR": str(flink_home() / "plugins"),
        **flink_environment(stack),
    }
    options = [
        "-XX:+IgnoreUnrecognizedVMOptions",
        *shlex.split(settings["env.java.opts.all"]),
        *shlex.split(settings["env.java.opts.client"]),
        f"-Dlog.file={stack.logs / 'flink-client.log'}",
        f"-Dlog4j.configurationFile={(stack.flink_conf / 'log4j-cli.properties').as_uri()}",
    ]
    if (version := _java_version(java_home())) is None or version > 17:
        options.append("-Djava.security.manager=allow")
    jars = flink_jars([stack.jars / jar.file_name for jar in read_lock("flink")])
    java = shlex.join([str(java_home() / "bin" / "java"), *options, "-cp", ":".join(map(str, jars))])
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join([*exports, f'exec {java} $JVM_ARGS org.apache.flink.client.cli.CliFrontend "$@"'])


def _java_version(home: Path) -> int | None:
    """17 for Java 17.0.9; None when the folder does not tell."""
    try:
        found = re.search(r'^JAVA_VERSION="(\d+)', (home / "release").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
