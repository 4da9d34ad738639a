"""Packs what the resume source needs on TaskManagers whose Python knows nothing of this toolkit."""

from __future__ import annotations

import zipfile
from pathlib import Path

import tenacity

import flink_bridge
import producer

_OWN = {
    "flink_bridge": ("__init__", "sources/__init__", "sources/resume_reader", "sources/resume_source"),
    "producer": ("__init__", "endpoint", "protocol"),
}


def write_bundle(path: Path) -> None:
    """A zip for `add_python_file`: our few modules and tenacity, all of them pure Python."""
    roots = {"flink_bridge": flink_bridge, "producer": producer}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for package, modules in _OWN.items():
            folder = Path(roots[package].__file__ or "").parent
            for module in modules:
                bundle.write(folder / f"{module}.py", f"{package}/{module}.py")
        tenacity_folder = Path(tenacity.__file__ or "").parent
        for file in sorted(tenacity_folder.rglob("*.py")):
            bundle.write(file, f"tenacity/{file.relative_to(tenacity_folder).as_posix()}")
