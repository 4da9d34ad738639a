"""The command that adds an extra fits the installation."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import pytest

from toolkit.extras import how_to_add, needed, requirement

_ROOT = Path(__file__).resolve().parents[3]
# Runs a program as if the extra `bridge` were not installed.
_WITHOUT_FLINK = """
import runpy, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyflink", "py4j", "find_libpython"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_where_it_came_from_is_where_the_extra_comes_from() -> None:
    assert requirement("local", None) == "win-event-bridge[local]"
    assert requirement("local", "file:///a.whl") == "win-event-bridge[local] @ file:///a.whl"


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/me/.local/pipx/venvs/win-event-bridge", "pipx install --force 'win-event-bridge[local]"),
        (
            "/home/me/.local/share/uv/tools/win-event-bridge",
            "uv tool install --force 'win-event-bridge[local]",
        ),
        ("/home/me/venv", "uv pip install --python"),  # this environment has no pip
    ],
)
def test_each_installer_has_its_command(monkeypatch: pytest.MonkeyPatch, prefix: str, command: str) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    assert how_to_add("local").startswith(command)


def test_a_missing_module_of_an_extra_ends_the_tool_with_the_command() -> None:
    with pytest.raises(SystemExit) as end, needed("win-event-x", "local", "not_there"):
        import_module("not_there.inside")
    said = str(end.value)
    assert said.startswith(
        "error: win-event-x needs not_there, which comes with the extra `local`. To add it:\n"
    )
    assert said.endswith(how_to_add("local"))
    with pytest.raises(ModuleNotFoundError), needed("win-event-x", "local", "another"):
        import_module("not_there")


@pytest.mark.programs
@pytest.mark.parametrize(
    "words",
    ["flink_bridge/job.py --hostname h --port 1", "analytics/job.py level_counts", "detection/job.py"],
)
def test_a_job_without_flink_names_the_extra(words: str) -> None:
    job, *options = words.split()
    login = {"KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "p", "PATH": ""}
    given = [sys.executable, "-c", _WITHOUT_FLINK, str(_ROOT / job), *options]
    ended = subprocess.run(given, env=login, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert re.match(
        r"error: job\.py needs (pyflink|py4j|find_libpython), which comes with the extra `bridge`",
        ended.stderr,
    )


def test_no_message_advises_to_install_by_the_name_alone() -> None:
    """The toolkit may be in no package index: only the origin of this installation is known to work."""
    folders = {f"{name.partition(':')[0].partition('.')[0]}" for name in _entries()} | {
        "toolkit",
        "flink_bridge",
    }
    for file in (file for folder in folders for file in (_ROOT / folder).rglob("*.py")):
        assert "pip install 'win-event-bridge[" not in file.read_text(encoding="utf-8"), file


def _entries() -> list[str]:
    scripts = metadata.entry_points(group="console_scripts")
    return [entry.value for entry in scripts if entry.name.startswith("win-event-")]


def test_the_version_needs_no_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["win-event-x", "--version"])
    with pytest.raises(SystemExit) as end, needed("win-event-x", "local", "not_there"):
        raise ModuleNotFoundError(name="not_there")
    assert not end.value.code
    assert capsys.readouterr().out == f"win-event-x, version {metadata.version('win-event-bridge')}\n"
