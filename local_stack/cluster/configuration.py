"""Merges Flink configuration files, for the image build and the local cluster.

`python -m local_stack.cluster.configuration CONFIG OVERLAY…` rewrites CONFIG (see flink_bridge/Dockerfile).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml


def merged(shipped: Path, overlays: Sequence[Path]) -> dict[str, Any]:
    """Flat settings; a later file has priority. Flink's own JVM options are needed, so they are kept."""
    settings: dict[str, Any] = {}
    for file in (shipped, *overlays):
        settings |= flat(yaml.safe_load(file.read_text(encoding="utf-8")))
    settings["env.java.opts.all"] = _java_options(str(settings["env.java.opts.all"]))
    return settings


def _java_options(shipped: str) -> str:
    """Options without the compiler's packages: a runtime without jdk.compiler warns about each of them."""
    kept = [word for word in shipped.split() if "jdk.compiler/" not in word]
    # Below Java 18 the default charset is the locale's, and Flink's socket source decodes with it.
    # Pekko's schedulers wake up every 10 ms, two of them in each process of Flink. Flink needs nothing so
    # exact from them, and they were half of what a cluster without a job takes.
    return " ".join([*kept, "-Dfile.encoding=UTF-8", "-Dpekko.scheduler.tick-duration=100ms"])


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} as {"a.b": 1}, the form in which the later file can override the earlier one."""
    result: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            result |= flat(value, f"{prefix}{key}.")
        else:
            result[prefix + key] = value
    return result


if __name__ == "__main__":
    config, *overlays = map(Path, sys.argv[1:])
    config.write_text(yaml.safe_dump(merged(config, overlays)), encoding="utf-8")
