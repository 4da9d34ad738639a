"""Our Java classes: compiled where the job is submitted, by the compiler in Flink, into one jar.

The jar travels with the job like any user's jar. See README.md in this folder.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import add_jars_to_context_class_loader

_FOLDER = Path(__file__).resolve().parent
CLASSES = (
    "LogPosition", "LineCutter", "ServerAnswer", "TlsFromPem", "WatchedStream", "LogReader", "EventLog",
    "LineBytes", "EventTime", "RejectedLine", "EventLine", "KafkaRecord", "RejectionWatch", "SortLines",
    "RecordWriter", "RecordSink",
)  # fmt: skip
BLOCK_CLASSES = ("LineBlock", "GatherLines")
PASSWORD_CLASSES = ("PasswordProvider",)
TABLE_CLASSES = ("MemberScanner", "EventRows", "EventTableFormat")
_FORMATS = "META-INF/services/org.apache.flink.table.factories.Factory"
"""Where Flink SQL looks for the formats that a jar brings along."""
KAFKA_CLASSES = ("KafkaRecords", *PASSWORD_CLASSES)
"""These need the Kafka connector, and Kafka's classes under the names that the connector uses."""
PACKAGE = "winevent"
_KAFKA = "org.apache.kafka."


class JavaError(RuntimeError):
    """A Java file does not compile; the text says where."""


def java_file(name: str) -> Path:
    """The source text of one of our classes, in one of the folders beside this module."""
    return next(_FOLDER.glob(f"*/{name}.java"))


def java_text(file: Path, prefix: str = "") -> str:
    """A Java file with `prefix` before the names of Kafka's classes."""
    return file.read_text(encoding="utf-8").replace(f" {_KAFKA}", f" {prefix}{_KAFKA}")


def load_classes(jar: Path, prefix: str, names: Sequence[str] = CLASSES + KAFKA_CLASSES) -> None:
    """Write the jar with these classes, for jobs and for this JVM; `prefix` as of preflight.class_prefix."""
    write_jar(jar, {f"{name}.java": java_text(java_file(name), prefix) for name in names})
    add_jars_to_context_class_loader([jar.as_uri()])


def ship_without_pyflink(env: StreamExecutionEnvironment, jar: Path) -> None:
    """Add the jar to the job, and take away PyFlink's, which only functions in Python need on the cluster.

    `flink run -py` adds that one to every job: 42 MB, copied and hashed four times before the job runs.
    """
    env.add_jars(jar.as_uri())
    jvm: Any = get_gateway().jvm
    java_env = env._j_stream_execution_environment
    settings = jvm.org.apache.flink.python.util.PythonConfigUtil.getEnvironmentConfig(java_env)
    key = jvm.org.apache.flink.configuration.PipelineOptions.JARS.key()
    jars = Configuration.parse_list_value(settings.getString(key, None))
    kept = [name for name in jars if not name.rpartition("/")[2].startswith("flink-python-")]
    settings.setString(key, str(kept))


def write_jar(jar: Path, texts: dict[str, str]) -> None:
    """Compile the texts, by file name, with Janino in the JVM that PyFlink has started. Raises JavaError."""
    gateway = get_gateway()
    jvm: Any = gateway.jvm
    resources = jvm.org.codehaus.commons.compiler.util.resource
    sources = gateway.new_array(resources.Resource, len(texts))
    for number, (name, text) in enumerate(texts.items()):
        sources[number] = resources.StringResource(name, text)
    compiled = jvm.java.util.HashMap()
    compiler = jvm.org.codehaus.janino.Compiler()
    compiler.setDebugLines(True)
    compiler.setDebugSource(True)
    compiler.setClassFileCreator(resources.MapResourceCreator(compiled))
    try:
        compiler.compile(sources)
    except Py4JJavaError as error:
        raise JavaError(str(error.java_exception)) from None
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as file_of_classes:
        for path in sorted(compiled.keySet()):
            file_of_classes.writestr(path, bytes(compiled.get(path)))
            if path.endswith("Format.class"):
                file_of_classes.writestr(_FORMATS, path.removesuffix(".class").replace("/", "."))


def java_class(name: str) -> Any:
    """One of the classes, once the jar is on the class path."""
    return getattr(getattr(get_gateway().jvm, PACKAGE), name)
