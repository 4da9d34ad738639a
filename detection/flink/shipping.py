"""Sends our packages with the job, so that each job runs with the packages that it was submitted with.

In thread mode, a TaskManager has one Python process for all its jobs. Python imports a module once, so a job
of a newer version would run the code of the older one. A function that was sent with a job therefore checks
first which job the loaded modules come from.
"""

from __future__ import annotations

import hashlib
import importlib
import pickle
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

import cloudpickle

_PACKAGES = ("detection", "producer", "flink_bridge", "kafka_setup", "toolkit")
_ROOT = Path(__file__).resolve().parents[2]


class Shipped:
    """A base for functions that run in Python on the TaskManagers."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (folder_name(), _PACKAGES, pickle.dumps((type(self), self.__dict__)))


def packages(folder: Path) -> Path:
    """A copy of our packages in `folder`, for StreamExecutionEnvironment.add_python_file."""
    target = folder / folder_name()
    for name in _PACKAGES:
        shutil.copytree(_ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


@cache
def folder_name() -> str:
    """The name of the folder with the copy, which depends on the text of every module."""
    digest = hashlib.sha256()
    for name in _PACKAGES:
        for module in sorted((_ROOT / name).rglob("*.py")):
            digest.update(module.relative_to(_ROOT).as_posix().encode() + b"\0" + module.read_bytes())
    return f"win-event-detection-{digest.hexdigest()[:16]}"


def _restored(folder: str, packages: tuple[str, ...], pickled: bytes) -> Any:
    """The function, with the modules of its own job. Pickled as code: it cannot be imported before it ran."""
    shipped = next((path for path in sys.path if Path(path).name == folder), None)
    if shipped is not None:
        sys.path.remove(shipped)
        sys.path.insert(0, shipped)
        ours = {name: each for name, each in sys.modules.items() if name.partition(".")[0] in packages}
        files = [file for each in ours.values() if (file := getattr(each, "__file__", None))]
        if any(folder not in file for file in files):
            for name in ours:
                del sys.modules[name]
            importlib.invalidate_caches()
    kind, state = pickle.loads(pickled)  # noqa: S301 - our own bytes, in a job
    made = object.__new__(kind)
    made.__dict__.update(state)
    return made


cloudpickle.register_pickle_by_value(sys.modules[__name__])
