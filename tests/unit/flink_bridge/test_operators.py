"""Every operator compiles, as Flink does it where it runs; so does what travels in the jar."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from flink_bridge.jvm.classes import CLASSES, write_jar

OPERATORS = {"LineBytes": (), "SortLines": ("EventTime", "RejectedLine", "EventLine")}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_compile(compile_java: Any, name: str) -> None:
    compiled = compile_java(*OPERATORS[name], name)
    assert compiled.getSimpleName() == name
    assert len(compiled.getConstructors()) == 1


@pytest.mark.usefixtures("gateway")
def test_the_jar_compiles(tmp_path: Path) -> None:
    write_jar(tmp_path / "classes.jar")
    names = zipfile.ZipFile(tmp_path / "classes.jar").namelist()
    assert {f"winevent/{name}.class" for name in CLASSES} <= set(names)
