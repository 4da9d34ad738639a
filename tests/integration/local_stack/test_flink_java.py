"""Flink's processes are started with the same arguments as by Flink's own scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import RunningStack, run

from local_stack import processes
from local_stack.cluster.cluster import base_environment
from local_stack.cluster.flink_java import flink_home, program_environment
from local_stack.jars.java import java_home
from local_stack.layout import Stack

pytestmark = [pytest.mark.integration, pytest.mark.nightly]
# For loggers that are not there; and the scripts number the files of their logs.
_OF_THE_SCRIPTS = ("-Dlog4j.configuration=", "-Dlogback.configurationFile=", "-Dlog.file=")


def _command_of_the_script(stack: Stack, script: str, folder: Path) -> list[str]:
    """The arguments that Flink's script gives to Java; a program in place of Java writes them down."""
    java = folder / "bin" / "java"
    java.parent.mkdir(exist_ok=True)
    java.write_text(
        f'#!/bin/sh\ncase "$*" in *BashJavaUtils*|*-XshowSettings*) exec {java_home()}/bin/java "$@";; esac\n'
        f'printf "%s\\n" "$@" > {folder}/command\n'
    )
    java.chmod(0o755)
    environment = base_environment() | program_environment(stack) | {"JAVA_HOME": str(folder)}
    answer = run(flink_home() / "bin" / script, "start-foreground", env=environment)
    assert answer.returncode == 0, answer.stderr
    return (folder / "command").read_text().splitlines()


def _compared(words: list[str]) -> list[str]:
    """The arguments in sorted order; of a jar only its name, each file address in one spelling."""
    paths = words[next(n for n, word in enumerate(words) if word in ("-cp", "-classpath")) + 1]
    others = [word for word in words if word not in (paths, "-cp", "-classpath")]
    kept = [word.replace("file:///", "file:/") for word in others if not word.startswith(_OF_THE_SCRIPTS)]
    return sorted(kept) + [Path(jar).name for jar in paths.split(":") if jar]


@pytest.mark.parametrize("kind", ["jobmanager", "taskmanager"])
def test_the_command_is_that_of_the_script(stack: RunningStack, kind: str, tmp_path: Path) -> None:
    theirs = _command_of_the_script(stack.stack, f"{kind}.sh", tmp_path)
    running = processes.running(stack.stack, "jobmanager" if kind == "jobmanager" else "taskmanager-1")
    assert running
    process = running.process()
    assert process
    assert _compared(process.cmdline()[1:]) == _compared(theirs)
