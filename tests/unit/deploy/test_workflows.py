from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from running import BIN, run

from local_stack.layout import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


@pytest.mark.programs
@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_the_published_schema_accepts_them(schema: str) -> None:
    result = run(BIN / "check-jsonschema", "--builtin-schema", schema, *WORKFLOWS)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_it_may_only_read_and_runs_what_is_here(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    makefile = (REPOSITORY / "Makefile").read_text()
    for targets in re.findall(r"run: make ([\w -]+)", file.read_text()):
        for target in targets.split():
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for script in re.findall(r"run: (scripts/[\w-]+)", file.read_text()):
        assert (REPOSITORY / script).is_file()


def test_every_supported_python_is_tested() -> None:
    matrix = yaml.safe_load((REPOSITORY / ".github/workflows/test.yml").read_text())["jobs"]["test"]
    assert matrix["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12"]
