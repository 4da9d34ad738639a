"""Our Java classes: compiled where the job is submitted, by the compiler in Flink, into one jar.

The jar travels with the job like any user's jar. See README.md in this folder.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway

JAVA = Path(__file__).resolve().parent
CLASSES = (
    *("LogPosition", "LineCutter", "ServerAnswer", "TlsFromPem", "LogReader", "EventLog"),
    *("EventTime", "RejectedLine", "EventLine"),
)
PACKAGE = "winevent"


class JavaError(RuntimeError):
    """One of the texts does not compile; says where."""


def write_jar(jar: Path) -> None:
    """Compile CLASSES with Janino in the JVM that PyFlink has started. Raises JavaError."""
    gateway = get_gateway()
    jvm: Any = gateway.jvm
    resources = jvm.org.codehaus.commons.compiler.util.resource
    texts = gateway.new_array(resources.Resource, len(CLASSES))
    for number, name in enumerate(CLASSES):
        file = JAVA / f"{name}.java"
        texts[number] = resources.StringResource(str(file), file.read_text(encoding="utf-8"))
    compiled = jvm.java.util.HashMap()
    compiler = jvm.org.codehaus.janino.Compiler()
    compiler.setDebugLines(True)
    compiler.setDebugSource(True)
    compiler.setClassFileCreator(resources.MapResourceCreator(compiled))
    try:
        compiler.compile(texts)
    except Py4JJavaError as error:
        raise JavaError(str(error.java_exception)) from None
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as file_of_classes:
        for path in sorted(compiled.keySet()):
            file_of_classes.writestr(path, bytes(compiled.get(path)))


def java_class(name: str) -> Any:
    """One of CLASSES, once the jar is on the class path."""
    return getattr(getattr(get_gateway().jvm, PACKAGE), name)
