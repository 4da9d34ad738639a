"""The statements for Flink's SQL client and the SQL Gateway before the first question. Pure."""

from __future__ import annotations

from dataclasses import replace

from analytics.flink.settings import analytics_flink_options
from analytics.settings import GROUPS, INVENTORY, AnalyticsSettings
from analytics.tables.declarations import everything
from analytics.tables.inventory import versions
from flink_bridge.kafka.settings import SHADED
from flink_bridge.kafka.sql_text import literal

# Each statement is a separate job with its own name, and decides by itself how long its state is kept.
_LEFT_OUT = ("pipeline.name", "parallelism.default", "table.exec.state.ttl")


def declarations_of(settings: AnalyticsSettings) -> str:
    """SET and CREATE statements, each with its semicolon."""
    settings = replace(settings, own_prefix=settings.own_prefix or f"{GROUPS}-sql")
    options = {name: v for name, v in analytics_flink_options(settings).items() if name not in _LEFT_OUT}
    options["sql-client.execution.result-mode"] = "tableau"
    lines = [f"SET {literal(name)} = {literal(value)}" for name, value in options.items()]
    assert settings.kafka is not None  # noqa: S101 - files are not declared
    known = [versions(name, settings, settings.kafka, SHADED) for name in INVENTORY]
    return "".join(f"{statement};\n" for statement in [*lines, *everything(settings, SHADED), *known])
