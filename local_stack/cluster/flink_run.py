"""The command `flink run`, and the id of the job in its answer. Pure.

It needs only Python, because the image of the containers has this file, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_JOB_ID = re.compile(r"JobID ([0-9a-f]{32})")


def command(
    file: Path | str,
    options: Sequence[str] = (),
    start: Sequence[str] = (),
    flink: Path | str = "flink",
    master: str = "",
) -> list[str]:
    """The words that submit `file` with its `options` and do not wait for the end of the job.

    `start`: options of Flink, such as those of checkpoints.Start. `flink`: the client, by default the one on
    the PATH. `master`: HOST:PORT of the JobManager, by default that of the client's configuration.
    """
    where = ["-m", master] if master else []
    return [str(flink), "run", "-d", *where, *start, "-py", str(file), *options]


def job_id(text: str) -> str | None:
    """The id of the job (32 hexadecimal digits), if the text says that the cluster accepted it."""
    match = _JOB_ID.search(text)
    return match[1] if match else None
