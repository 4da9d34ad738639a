"""Command lines and environments of Flink's own programs, as the scripts in its bin/ make them.

The scripts start up to four more JVMs for each program, to read its settings, Java's version and the sizes
of its memory. Here the first two are known. The sizes are asked for once, when the configuration is written.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from local_stack.jars import shared_classes
from local_stack.jars.jars import read_lock
from local_stack.jars.java import SHORT_LIVED, java_home
from local_stack.layout import Stack
from local_stack.processes import StartError
from toolkit.atomic_file import write_atomically
from toolkit.extras import how_to_add

_ASK_SIZES = {"jobmanager": "GET_JM_RESOURCE_PARAMS", "taskmanager": "GET_TM_RESOURCE_PARAMS"}
_ANSWER = re.compile(r"^BASH_JAVA_UTILS_EXEC_RESULT:(.*)$", re.MULTILINE)


def flink_home() -> Path:
    """The folder of the apache-flink package with bin/, lib/ and conf/."""
    spec = find_spec("pyflink")
    if spec is None or not spec.submodule_search_locations:
        raise StartError(f"apache-flink is not installed. To add it: {how_to_add('local')}")
    return Path(spec.submodule_search_locations[0])


def flink_environment(stack: Stack) -> dict[str, str]:
    """Variables with which the scripts in Flink's bin/ use this stack's configuration, jars and folders."""
    plugins = {"FLINK_PLUGINS_DIR": str(stack.flink_plugins)} if stack.s3 else {}
    return {
        **plugins,
        "FLINK_HOME": str(flink_home()),
        "FLINK_CONF_DIR": str(stack.flink_conf),
        # Flink's own jars and the Kafka connector: `pipeline.jars` would not reach the submitting client.
        "FLINK_LIB_DIR": str(stack.flink_lib),
        "FLINK_LOG_DIR": str(stack.logs),
        "FLINK_PID_DIR": str(stack.directory / "flink"),
        "JAVA_HOME": str(java_home()),
        "PYFLINK_CLIENT_EXECUTABLE": sys.executable,
    }


def program_environment(stack: Stack) -> dict[str, str]:
    """The variables of flink_environment, and those that the scripts add for the program that they start."""
    return {
        "FLINK_BIN_DIR": str(flink_home() / "bin"),
        "FLINK_OPT_DIR": str(flink_home() / "opt"),  # where the jar of PyFlink is looked for
        "FLINK_PLUGINS_DIR": str(flink_home() / "plugins"),
        **flink_environment(stack),
    }


def class_path(stack: Stack) -> list[Path]:
    """The jars of all Flink's programs in Flink's own order: its own classes come last."""
    shipped = [*(flink_home() / "lib").glob("*.jar"), *(flink_home() / "opt").glob("flink-python*.jar")]
    connector = [stack.jars / jar.file_name for jar in read_lock("flink")]
    return sorted([*shipped, *connector], key=lambda jar: (jar.name.startswith("flink-dist"), jar.name))


def java_command(
    stack: Stack,
    settings: Mapping[str, Any],
    kind: str,
    log: tuple[str, str],
    options: Sequence[str] = (),
    more_jars: Sequence[Path] = (),
) -> list[str]:
    """Java and its options; the caller appends the class and its arguments.

    `kind`: for the setting env.java.opts.KIND. `log`: the name of the log file, and that of the file in the
    configuration folder that configures the logging.
    """
    file, configuration = log
    jars = class_path(stack)
    shared = shared_classes.options("flink", jars, stack.jars)
    words = [str(java_home() / "bin" / "java"), *shared, *options, "-XX:+IgnoreUnrecognizedVMOptions"]
    for name in ("all", kind):
        words += shlex.split(str(settings.get(f"env.java.opts.{name}", "")))
    if (version := _java_version(java_home())) is None or version > 17:
        words.append("-Djava.security.manager=allow")
    words.append(f"-Dlog.file={stack.logs / file}")
    words.append(f"-Dlog4j.configurationFile={(stack.flink_conf / configuration).as_uri()}")
    return [*words, "-cp", ":".join(map(str, [*jars, *more_jars]))]


def write_settings(stack: Stack, settings: Mapping[str, Any]) -> None:
    """Write Flink's configuration, and the memory sizes that follow from it. Raises StartError."""
    write_atomically(stack.flink_conf / "config.yaml", yaml.safe_dump(dict(settings)))
    with ThreadPoolExecutor() as pool:
        sizes = dict(zip(_ASK_SIZES, pool.map(lambda kind: _ask_sizes(stack, kind), _ASK_SIZES), strict=True))
    write_atomically(_sizes_file(stack), json.dumps(sizes, indent=2))


def read_settings(stack: Stack) -> dict[str, Any]:
    return dict(yaml.safe_load((stack.flink_conf / "config.yaml").read_text(encoding="utf-8")))


def sizes(stack: Stack, kind: str) -> tuple[list[str], list[str]]:
    """The memory sizes of "jobmanager" or "taskmanager", as options for Java and as arguments for Flink."""
    if not _sizes_file(stack).exists():  # an older version has written the configuration
        write_settings(stack, read_settings(stack))
    options, arguments = json.loads(_sizes_file(stack).read_text(encoding="utf-8"))[kind]
    return options, arguments


def _sizes_file(stack: Stack) -> Path:
    return stack.flink_conf / "memory.json"


def _ask_sizes(stack: Stack, kind: str) -> list[list[str]]:
    jars = [flink_home() / "bin" / "bash-java-utils.jar", *(flink_home() / "lib").glob("flink-dist*.jar")]
    command = [str(java_home() / "bin" / "java"), *SHORT_LIVED, "-cp", ":".join(map(str, jars))]
    command += ["org.apache.flink.runtime.util.bash.BashJavaUtils", _ASK_SIZES[kind]]
    command += ["--configDir", str(stack.flink_conf)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = _ANSWER.findall(answer.stdout)
    if answer.returncode or len(lines) != 2:
        raise StartError(f"Flink cannot say what memory a {kind} gets: {answer.stdout}{answer.stderr}")
    return [line.split() for line in lines]


def _java_version(home: Path) -> int | None:
    """17 for Java 17.0.9; None if the folder has no such file."""
    try:
        found = re.search(r'^JAVA_VERSION="(\d+)', (home / "release").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
