"""The images are built from the locks of this repository, and from nothing else."""

from __future__ import annotations

import fnmatch
import re
import shlex
import shutil
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
import yaml
from containers import load_compose
from running import BIN, run

from local_stack.jars.jars import read_lock
from local_stack.layout import DEPLOY, REPOSITORY

FLINK = REPOSITORY / "flink_bridge" / "Dockerfile"
TOOLS = DEPLOY / "tools" / "Dockerfile"
IMAGES = pytest.mark.parametrize("dockerfile", [FLINK, TOOLS], ids=["flink", "tools"])


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """(instruction, its text), with continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", dockerfile.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def copied(dockerfile: Path) -> list[str]:
    """What is copied from the build context."""
    copies = [shlex.split(text) for name, text in instructions(dockerfile) if name == "COPY"]
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


@pytest.mark.programs
@IMAGES
def test_hadolint_has_nothing_to_say(dockerfile: Path) -> None:
    result = run(BIN / "hadolint", dockerfile)
    assert result.returncode == 0, result.stdout


@IMAGES
def test_everything_copied_exists_and_reaches_the_build(dockerfile: Path) -> None:
    let_in = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
    for source in copied(dockerfile):
        assert (REPOSITORY / source).exists(), source
        assert any(fnmatch.fnmatch(source.rstrip("/"), f"{pattern}*") for pattern in let_in), source


@IMAGES
def test_packages_come_hashed_from_the_lock_and_no_registry_is_named(dockerfile: Path) -> None:
    runs = [text for name, text in instructions(dockerfile) if name == "RUN"]
    for command in re.findall(r"pip install [^&]*", " && ".join(runs)):
        assert "--require-hashes" in command or ("--no-deps" in command and command.rstrip().endswith("."))
    assert not re.search(r"https?://|index-url|\w+\.(?:org|com|io)\b", dockerfile.read_text())


@pytest.mark.parametrize("lock", ["flink_bridge/requirements.lock", "deploy/tools/requirements.lock"])
def test_the_images_locks_are_slices_of_the_whole_one(lock: str) -> None:
    whole, part = _pins(REPOSITORY / "requirements.lock"), _pins(REPOSITORY / lock)
    assert part
    assert {name: whole.get(name) for name in part} == part


def _pins(lock: Path) -> dict[str, set[str]]:
    """The hashes of every name==version."""
    pins: dict[str, set[str]] = {}
    for line in lock.read_text().splitlines():
        if match := re.match(r"([a-z][\w.\[\]-]*==[^ ]+)", line):
            found = pins.setdefault(match[1], set())
        elif "--hash=" in line:
            found.add(line.strip(" \\"))
    return pins


@IMAGES
def test_it_runs_as_another_user_than_root(dockerfile: Path) -> None:
    last = [text for name, text in instructions(dockerfile) if name == "USER"][-1]
    assert last.split(":")[0] not in ("0", "root")


@IMAGES
def test_base_images_are_pinned(dockerfile: Path) -> None:
    for text in (text for name, text in instructions(dockerfile) if name == "FROM"):
        assert re.search(r":\d+\.\d+\.\d+-", text), text


def test_flinks_image_has_the_version_of_the_package() -> None:
    flink = version("apache-flink")
    assert f"flink:{flink}-scala_2.12-java21" in FLINK.read_text()
    assert read_lock("flink")[0].version.endswith("-" + flink.rsplit(".", 1)[0])


def test_container_settings_name_the_paths_of_the_image() -> None:
    settings = yaml.safe_load((DEPLOY / "flink" / "container.yaml").read_text())
    text = FLINK.read_text()
    assert settings["python.executable"].removesuffix("/bin/python") in text
    assert "mkdir " + settings["execution.checkpointing.dir"].removeprefix("file://") in text


@pytest.mark.programs
def test_what_flinks_image_has_of_the_stack_imports_nothing_that_it_lacks(tmp_path: Path) -> None:
    """Not even from the repository: the folder with the copied files comes first on the path."""
    files = [source for source in copied(FLINK) if re.fullmatch(r"local_stack/.*\.py", source)]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, tmp_path / file)
    modules = {file.removesuffix(".py").replace("/", ".") for file in files if "__init__" not in file}
    result = run(sys.executable, "-c", f"import {', '.join(modules)}", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    services = [each for each in load_compose()["services"].values() if "/flink:" in each["image"]]
    called = {each["command"][2] for each in services if each["command"][:2] == ["python", "-m"]}
    assert called
    assert called <= modules


@pytest.mark.programs
def test_the_jobs_find_what_they_import_and_need_no_kafka_client() -> None:
    """The image has the job's lock alone, and the folders that its Dockerfile copies."""
    ours = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")}
    jobs = "flink_bridge.before_submission, flink_bridge.job, analytics.job, detection.job"
    jobs += ", detection.flink.graph"
    result = run(sys.executable, "-c", f"import sys, {jobs}; print(*sys.modules)", cwd=REPOSITORY)
    imported = set(result.stdout.split())
    assert {"flink_bridge.kafka.settings", "kafka_setup.connection.settings"} <= imported, result.stderr
    assert {name for name in imported if "." not in name} & ours <= {
        source.split("/")[0] for source in copied(FLINK)
    }
    assert not imported & {"confluent_kafka", "local_stack.jars"}
    lock = _pins(REPOSITORY / "flink_bridge" / "requirements.lock")
    installed = {re.split(r"[=\[]", pin)[0] for pin in lock}
    assert {"sigma", "re2", "msgspec"} <= imported
    assert {
        name
        for name, found in packages_distributions().items()
        if name in imported and not installed & {each.lower().replace("_", "-") for each in found}
    } <= ours | {"_distutils_hack"}  # every environment with setuptools loads it
