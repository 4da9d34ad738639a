"""The wheel in an empty environment, used from another folder, as by a user without a checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from running import BIN, REPOSITORY, run

pytestmark = [pytest.mark.integration, pytest.mark.nightly]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # the build leaves its own things beside the sources
    files = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=REPOSITORY).stdout
    for name in filter(None, files.split("\0")):
        place = source / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / name).is_symlink():
            place.symlink_to((REPOSITORY / name).readlink())
        elif (REPOSITORY / name).exists():
            place.write_bytes((REPOSITORY / name).read_bytes())
    built = run(BIN / "uv", "build", "--wheel", "--no-build-isolation", "--out-dir", folder, source)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module", params=["", "[local]"], ids=["plain", "local"])
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin/ of an environment with the wheel, with or without the extra."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    _uv("venv", "--quiet", "--python", sys.executable, environment)
    target = ("--python", environment / "bin" / "python", "--constraint", REPOSITORY / "requirements.lock")
    _uv("pip", "install", "--quiet", *target, f"win-event-bridge{request.param} @ {wheel.as_uri()}")
    return environment / "bin"


def _uv(*words: str | Path) -> None:
    result = run(BIN / "uv", *words)
    assert result.returncode == 0, result.stderr


def _call(installed: Path, folder: Path, *words: str) -> Any:
    """Run a command of the environment in this folder, as a user who has installed nothing else."""
    jars = os.environ.get("WIN_EVENT_JAR_DIR") or str(REPOSITORY / ".stack" / "jars")
    here = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "WIN_EVENT_JAR_DIR": jars, "PYTHONPATH": ""}
    network = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "no_proxy")
    here |= {name: os.environ[name] for name in network if name in os.environ}
    clean = ["env", "-i", *(f"{name}={value}" for name, value in here.items())]
    return run(*clean, installed / words[0], *words[1:], cwd=folder)


@pytest.mark.parametrize("installed", [""], indirect=True)
def test_a_missing_extra_is_named_with_the_command_that_adds_it(installed: Path, tmp_path: Path) -> None:
    result = _call(installed, tmp_path, "win-event-stack", "up")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "comes with the extra `local`" in result.stderr
    assert "uv pip install --python" in result.stderr
    assert "win-event-bridge[local] @ file://" in result.stderr
    for tool in ("win-event-stack", "win-event-detect"):
        assert f"{tool}, version " in _call(installed, tmp_path, tool, "--version").stdout
    assert "--port" in _call(installed, tmp_path, "win-event-producer", "--help").stdout
    for command, extra in (
        ("win-event-detect -", "detect"),
        ("win-event-compact archive target", "bridge"),
        ("win-event-verify --kinesis events", "kinesis"),
        (
            "win-event-console --port 0 --kafka-security-protocol PLAINTEXT --cache redis://127.0.0.1:1",
            "cache",
        ),
    ):
        said = _call(installed, tmp_path, *command.split()).stderr
        assert "Traceback" not in said
        assert f"win-event-bridge[{extra}] @ file://" in said


@pytest.mark.parametrize("installed", ["[local]"], indirect=True)
def test_the_demo_runs_and_keeps_its_state_with_the_user(installed: Path, tmp_path: Path) -> None:
    (packages,) = (installed.parent / "lib").glob("python*/site-packages")
    before = _files(packages)
    result = _call(installed, tmp_path, "win-event-stack", "demo", "--seconds", "5")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / ".local/state/win-event-bridge/demo/stack.json").exists()
    assert _files(packages) - before == set()


def _files(folder: Path) -> set[Path]:
    return {file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"}
