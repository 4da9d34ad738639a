"""The bridge's Java in a JVM without a cluster: compiled as Flink does it, called through py4j.

A conftest imports the fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pyflink import java_gateway
from running import QUICK_JVM

from flink_bridge.jvm.classes import java_file

_IMPORT = re.compile(r"^import [\w.]+;\n", re.MULTILINE)
_PACKAGE = re.compile(r"^(?:package|import) winevent[\w.]*;\n", re.MULTILINE)

Compile = Callable[..., Any]


def java_text(*names: str | Path) -> str:
    """Classes of flink_bridge/jvm/ by name, and others by path, in one text without packages."""
    files = [java_file(name) if isinstance(name, str) else name.with_suffix(".java") for name in names]
    texts = [_PACKAGE.sub("", file.read_text(encoding="utf-8")) for file in files]
    imports = sorted({found for text in texts for found in _IMPORT.findall(text)})
    return "".join(imports) + "".join(_IMPORT.sub("", text) for text in texts)


@contextmanager
def plain_jvm() -> Iterator[Any]:
    """PyFlink's connection to a JVM with a log of its own, which ends with the block.

    PyFlink forgets the process that it has started; here somebody has to wait for it.
    """
    started: list[Popen[bytes]] = []
    launch = java_gateway.launch_gateway_server_process

    def keep(environment: dict[str, str], words: list[str]) -> Popen[bytes]:
        started.append(launch({**environment, **QUICK_JVM, "FLINK_LOG_DIR": folder}, words))
        return started[-1]

    java_gateway.launch_gateway_server_process = keep
    with TemporaryDirectory(prefix="win-event-jvm-") as folder:
        try:
            yield java_gateway.get_gateway()
        finally:
            java_gateway.get_gateway().shutdown()
            java_gateway._gateway = None
            java_gateway.launch_gateway_server_process = launch
            for process in started:
                process.communicate(timeout=60)  # it ends when its stdin does


@cache
def compiled(gateway: Any, *names: str | Path) -> Any:
    """`compiled(gateway, "EventTime", …, FOLDER / "Verdicts")`: the last of these, compiled with the others.

    A driver, a class of a test's own, does many things in one call and answers with a text: a call from
    Python takes half a millisecond. Compiled once a JVM: Flink forgets what it has compiled after five
    minutes, and py4j, which remembers methods by the name of their class, cannot call the second copy.
    """
    loader = gateway.jvm.Thread.currentThread().getContextClassLoader()
    compiler = gateway.jvm.org.apache.flink.table.runtime.generated.CompileUtils
    return compiler.compile(loader, Path(names[-1]).name, java_text(*names))


@pytest.fixture(scope="session")
def gateway() -> Iterator[Any]:
    with plain_jvm() as connection:
        yield connection


@pytest.fixture(scope="session")
def compile_java(gateway: Any) -> Compile:
    return partial(compiled, gateway)
