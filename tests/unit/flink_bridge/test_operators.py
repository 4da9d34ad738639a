"""The Java of the jar compiles. Each submission compiles the classes that need the Kafka connector."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

from flink_bridge.jvm.classes import (
    BLOCK_CLASSES,
    CLASSES,
    java_file,
    java_text,
    ship_without_pyflink,
    write_jar,
)

pytestmark = pytest.mark.programs


def test_the_jar_compiles(gateway: Any, tmp_path: Path) -> None:
    jar, classes = tmp_path / "classes.jar", CLASSES + BLOCK_CLASSES
    write_jar(jar, {name: java_text(java_file(name)) for name in classes})
    names = zipfile.ZipFile(jar).namelist()
    assert {f"winevent/{name}.class" for name in classes} <= set(names)


def test_flink_can_copy_a_record_between_threads(gateway: Any, tmp_path: Path) -> None:
    """With several endpoints, Flink copies each record; it would use Kryo for a class that is not a POJO."""
    jar = tmp_path / "record.jar"
    write_jar(jar, {"KafkaRecord": java_text(java_file("KafkaRecord"))})
    jvm = gateway.jvm
    urls = gateway.new_array(jvm.java.net.URL, 1)
    urls[0] = jvm.java.net.URL(jar.as_uri())
    loader = jvm.java.net.URLClassLoader(urls, jvm.Thread.currentThread().getContextClassLoader())
    types = jvm.org.apache.flink.api.common.typeinfo.TypeInformation
    found = types.of(loader.loadClass("winevent.KafkaRecord"))
    assert found.getClass().getSimpleName() == "PojoTypeInfo"
    assert {str(found.getTypeAt(number)) for number in range(found.getArity())} == {
        "String", "Long", "byte[]", "BasicArrayTypeInfo<String>", "ObjectArrayTypeInfo<byte[]>",
    }  # fmt: skip


def test_pyflinks_own_jar_stays_at_home_and_others_travel(
    gateway: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_python_worker_execution_mode", "process")  # starts no server for Python functions
    jar, others = tmp_path / "classes.jar", ["file:/opt/own.jar", "file:/opt/flink-python-2.2.1.jar"]
    write_jar(jar, {"EventTime": java_text(java_file("EventTime"))})
    settings = Configuration()
    settings.set_string("pipeline.jars", str(others))
    env = StreamExecutionEnvironment.get_execution_environment(settings)
    ship_without_pyflink(env, jar)
    options = gateway.jvm.org.apache.flink.configuration.PipelineOptions
    shipped = env._j_stream_execution_environment.getConfiguration().get(options.JARS)
    assert list(shipped) == [others[0], jar.as_uri()]
