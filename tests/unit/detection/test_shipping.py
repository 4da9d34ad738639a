"""Code that is shipped with a job runs, also in a Python that has already imported another version of it."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import cloudpickle
import pytest

pytestmark = pytest.mark.programs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyFlink uses what it has deprecated itself
    from detection.flink import shipping
    from detection.flink.matching import Matching

_WORKER = """
import pickle, sys
older, newer, function = sys.argv[1:]
sys.path.insert(0, older)
import detection.flink.matching
assert detection.flink.matching.__file__.startswith(older)
sys.path.append(newer)  # as Flink adds it for the second job
first = pickle.loads(open(function, "rb").read())
second = pickle.loads(open(function, "rb").read())
assert type(first) is type(second), "loaded again without need"
assert first._pipelines == ["a", "b"]
print(sys.modules[type(first).__module__].__file__)
print(sys.modules["detection.alerts"].__file__)
"""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    copied = shipping.packages(tmp_path / "older")
    return copied.rename(copied.with_name("win-event-detection-older"))


def test_a_job_runs_its_own_code_where_another_version_was_imported_before(
    older: Path, tmp_path: Path
) -> None:
    newer, function = shipping.packages(tmp_path / "newer"), tmp_path / "function"
    function.write_bytes(cloudpickle.dumps(Matching([], ["a", "b"])))
    command = [sys.executable, "-W", "ignore", "-c", _WORKER, str(older), str(newer), str(function)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(f"{newer}/detection/") for line in done.stdout.splitlines()), done.stdout


def test_the_folder_has_another_name_when_the_code_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = shipping.folder_name()
    copied = shipping.packages(tmp_path)
    assert copied.name == name
    assert (copied / "detection" / "flink" / "matching.py").is_file()
    monkeypatch.setattr(shipping, "_ROOT", copied)
    assert shipping.folder_name.__wrapped__() == name
    (copied / "detection" / "alerts.py").write_text("another = True\n")
    assert shipping.folder_name.__wrapped__() != name
