"""Java loads its classes from the archive that was made for it."""

from __future__ import annotations

import gzip
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local_stack.jars import shared_classes
from local_stack.jars.java import java_home

pytestmark = pytest.mark.programs


@pytest.fixture(autouse=True)
def few_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lists").mkdir()
    classes = b"java/lang/Object\njava/util/zip/ZipFile\nno/longer/There\n"
    (tmp_path / "lists" / "kafka.classes.gz").write_bytes(gzip.compress(classes))
    monkeypatch.setattr(shared_classes, "_LISTS", tmp_path / "lists")


def a_jar(folder: Path) -> Path:
    jar = folder / "a.jar"
    jar.write_bytes(b"PK\x05\x06" + bytes(18))  # an empty one
    return jar


def java(*options: str) -> subprocess.CompletedProcess[str]:
    command = [str(java_home() / "bin" / "java"), *options, "-version"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_java_uses_the_archive_and_it_is_made_once(tmp_path: Path) -> None:
    jars, told = [a_jar(tmp_path)], list[str]()
    with ThreadPoolExecutor(3) as pool:  # several stacks start at once
        for _ in range(3):
            pool.submit(shared_classes.make, "kafka", jars, tmp_path, told.append)
    assert len(told) == 1
    options = [*shared_classes.options("kafka", jars, tmp_path), "-cp", str(jars[0])]
    answer = java("-Xshare:on", *options)  # on: Java ends when it cannot use it
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_another_jar_needs_another_archive_and_old_ones_go(tmp_path: Path) -> None:
    jars = [a_jar(tmp_path)]
    first = shared_classes.archive("kafka", jars, tmp_path)
    for number in range(6):
        (tmp_path / f"kafka-{number}.jsa").touch()
        os.utime(tmp_path / f"kafka-{number}.jsa", (number, number))
    os.utime(jars[0], (1, 1))
    shared_classes.make("kafka", jars, tmp_path, lambda text: None)
    kept = {file.name for file in tmp_path.glob("*.jsa")}
    assert kept == {
        "kafka-3.jsa",
        "kafka-4.jsa",
        "kafka-5.jsa",
        shared_classes.archive("kafka", jars, tmp_path).name,
    }
    assert first.name not in kept


def test_java_says_nothing_when_there_is_no_archive_or_none_could_be_made(tmp_path: Path) -> None:
    jars, told = [a_jar(tmp_path)], list[str]()
    options = shared_classes.options("kafka", jars, tmp_path)
    assert "warning" not in java(*options).stdout
    folder = tmp_path / "folder"  # Java refuses a class path with a folder that is not empty
    folder.mkdir()
    (folder / "file").touch()
    for _ in range(2):
        shared_classes.make("kafka", [folder], tmp_path, told.append)
    assert len(told) == 1
    answer = java(*shared_classes.options("kafka", [folder], tmp_path), "-cp", str(folder))
    assert (answer.returncode, answer.stdout) == (0, "")
