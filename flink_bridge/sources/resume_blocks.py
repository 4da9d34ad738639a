"""Blocks of lines from a win-event-producer, read by the resume source; client side of it."""

from __future__ import annotations

from pyflink.common import Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from flink_bridge.sources.resume_reader import ReaderSettings
from flink_bridge.sources.resume_source import ResumeSource

KICKS = """CREATE TEMPORARY TABLE kicks (n INT) WITH
  ('connector' = 'datagen', 'rows-per-second' = '1', 'fields.n.min' = '0', 'fields.n.max' = '0')"""


def resume_blocks(
    env: StreamExecutionEnvironment, tables: StreamTableEnvironment, settings: ReaderSettings
) -> DataStream:
    """A stream of blocks (byte[], LF between lines), with a Flink vertex and a state for this endpoint."""
    if "kicks" not in tables.list_temporary_tables():
        tables.execute_sql(KICKS)
    kicks = tables.to_data_stream(tables.from_path("kicks"))
    blocks = kicks.key_by(lambda row: 0, key_type=Types.INT()).process(
        ResumeSource(settings), output_type=Types.PRIMITIVE_ARRAY(Types.BYTE())
    )
    name = f"log of {settings.endpoint}"
    return blocks.name(name).uid(name).set_parallelism(1).set_max_parallelism(1)
