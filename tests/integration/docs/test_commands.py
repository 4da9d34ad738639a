"""The commands of README, TUTORIAL and YOUR_EVENTS, run unchanged: a page is one shell session.

Only addresses differ: the stack of the tests listens on other ports. Commands that must not run are in blocks
that are not marked `bash`.

What TUTORIAL does after its demo is run nightly. For each change, README and YOUR_EVENTS do the same with a
producer and the bridge, detection/test_topic.py detects, and tests/faults kills and audits.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from running import REPOSITORY, Job, RunningStack, free_ports

pytestmark = pytest.mark.integration

SECONDS = 900  # the tutorial takes two minutes on two cores
# What the demo of the tutorial is to show: the alert of its attack, the score, both answers.
SHOWN = {
    "docs/TUTORIAL.md": (
        r"^alert .* Passwords guessed for one account",
        r"^missing +0$",
        r"^Passwords guessed for one account +brute-force +1 +1 +1 +1 +0 +1\.00 +1\.00 +\d",
        r"^✓ level_windows, in Flink SQL:$",
        r"^brute_force +\d",
    )
}
# `make down` would stop the stack that other tests of the session use.
PRELUDE = """
make() { [ "$1" = down ] || command make "$@"; }
trap 'echo "failed in line: $BASH_COMMAND" >&2' ERR
set -euE -o pipefail
"""


def _commands(page: str, blocks: int | None) -> str:
    """Those of the first `blocks` blocks; of all if that is None."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[:blocks])


def _jobs(stack: RunningStack) -> set[str]:
    return {job["id"] for job in stack.rest("/jobs")["jobs"]}


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize(
    ("page", "blocks"),
    [
        pytest.param("docs/TUTORIAL.md", 1, id="the demo of TUTORIAL"),
        pytest.param("docs/TUTORIAL.md", None, id="TUTORIAL", marks=pytest.mark.nightly),
        pytest.param("README.md", None, id="README"),
        pytest.param("docs/YOUR_EVENTS.md", None, id="YOUR_EVENTS"),
    ],
)
def test_the_commands_of_a_page_work(
    stack: RunningStack, tmp_path: Path, page: str, blocks: int | None
) -> None:
    here = stack.stack
    ports = {"9092": here.kafka_port, "8081": here.flink_port, "8083": here.sql_port}
    ports |= dict(zip(("9999", "9998", "8085"), free_ports(3), strict=True))
    commands = re.sub(
        rf"\b({'|'.join(ports)})\b", lambda match: str(ports[match[1]]), _commands(page, blocks)
    )
    assert commands
    before = _jobs(stack)
    output = tmp_path / "output.txt"
    with output.open("wb") as out:
        shell = subprocess.Popen(
            ["bash", "-c", PRELUDE + commands],
            cwd=REPOSITORY,
            env={**os.environ, **stack.environment, "TMPDIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            code = shell.wait(SECONDS)
        finally:
            with suppress(ProcessLookupError):  # a page ends what it has started
                os.killpg(shell.pid, signal.SIGTERM)
            for job in _jobs(stack) - before:  # `make down` would have ended them
                Job(stack, job).cancel()
    told = output.read_text(errors="replace")
    assert code == 0, told
    for line in SHOWN.get(page, ()):
        assert re.search(line, told, re.MULTILINE), told
