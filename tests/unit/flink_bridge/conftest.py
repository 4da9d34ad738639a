"""The bridge's Java in a JVM without a cluster: compiled as Flink does it, called through py4j."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from pyflink import java_gateway

from flink_bridge.jvm.classes import JAVA

_IMPORT = re.compile(r"^import [\w.]+;\n", re.MULTILINE)
_PACKAGE = re.compile(r"^(?:package|import) winevent[\w.]*;\n", re.MULTILINE)
HERE = Path(__file__).resolve().parent

Compile = Callable[..., Any]


def java_text(*names: str | Path) -> str:
    """Classes of flink_bridge/jvm/, or of the folder named, in one text without packages."""
    texts = [_PACKAGE.sub("", (JAVA / f"{name}.java").read_text(encoding="utf-8")) for name in names]
    imports = sorted({found for text in texts for found in _IMPORT.findall(text)})
    return "".join(imports) + "".join(_IMPORT.sub("", text) for text in texts)


@pytest.fixture(scope="session")
def gateway() -> Iterator[Any]:
    """PyFlink's connection to a JVM of its own, which ends with the session.

    PyFlink forgets the process that it has started; here somebody has to wait for it.
    """
    started: list[Popen[bytes]] = []
    launch = java_gateway.launch_gateway_server_process

    def keep(*arguments: Any) -> Popen[bytes]:
        started.append(launch(*arguments))
        return started[-1]

    java_gateway.launch_gateway_server_process = keep
    yield java_gateway.get_gateway()
    java_gateway.get_gateway().shutdown()
    java_gateway._gateway = None
    for process in started:
        process.communicate(timeout=60)  # it ends when its stdin does


@pytest.fixture(scope="session")
def compile_java(gateway: Any) -> Compile:
    """`compile_java("EventTime", …, HERE / "Verdicts")`: the last of these classes, compiled with the others.

    A driver, a class of a test's own, does many things in one call and answers with a text: a call from
    Python takes half a millisecond.
    """

    def compile_them(*names: str | Path) -> Any:
        jvm = gateway.jvm
        loader = jvm.Thread.currentThread().getContextClassLoader()
        last = Path(names[-1]).name
        return jvm.org.apache.flink.table.runtime.generated.CompileUtils.compile(
            loader, last, java_text(*names)
        )

    return compile_them
