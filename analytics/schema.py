"""`python -m analytics.schema` writes schemas/: each result of results.sql as a JSON Schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from analytics.answers import primary_key
from analytics.tables.declarations import declarations

FOLDER = Path(__file__).resolve().with_name("schemas")
# Detection writes into the topic of alerts, too: whoever reads it has one schema for both.
_ALSO = {"alerts": FOLDER.parents[1] / "detection" / "alert.schema.json"}
_COLUMN = re.compile(
    r"^\s+`?(\w+)`? (STRING|BIGINT|BOOLEAN|INT|TIMESTAMP_LTZ\(3\))( NOT NULL)?,?$", re.MULTILINE
)
_TYPES: dict[str, dict[str, Any]] = {
    "STRING": {"type": "string"},
    "BIGINT": {"type": "integer"},
    "BOOLEAN": {"type": "boolean"},
    "INT": {"type": "integer"},
    "TIMESTAMP_LTZ(3)": {"type": "string", "format": "date-time", "pattern": "Z$"},
}


def schema_of(result: str) -> dict[str, Any]:
    """Every key is always there; what the table may leave empty may be null."""
    columns = _COLUMN.findall(declarations()[result])
    properties = {
        name: _TYPES[kind] if required else _TYPES[kind] | {"type": [_TYPES[kind]["type"], "null"]}
        for name, kind, required in columns
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": result,
        "description": f"A record of topic {result}; its key holds {', '.join(primary_key(result))}.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def text_of(result: str) -> str:
    """What stands in schemas/: of a topic that others write, too, the shape of each of its writers."""
    schema = schema_of(result)
    if other := _ALSO.get(result):
        head = {name: schema.pop(name) for name in ("$schema", "title", "description")}
        theirs = json.loads(other.read_text(encoding="utf-8"))
        theirs.pop("$schema")
        ours = {"title": "An answer of analytics: error_burst or brute_force", **schema}
        head["description"] = f"A record of topic {result}: it has one of two shapes."
        schema = {**head, "oneOf": [ours, theirs]}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in declarations():
        (FOLDER / f"{name}.json").write_text(text_of(name), encoding="utf-8")
