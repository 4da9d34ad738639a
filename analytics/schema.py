"""`python -m analytics.schema` writes schemas/: each result of results.sql as a JSON Schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from analytics.answers import primary_key
from analytics.tables.declarations import declarations

FOLDER = Path(__file__).resolve().with_name("schemas")
# Detection writes to the topic of alerts, too: its readers have one schema for both.
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
    """The schema: every key is always present; a column that may be empty may be null."""
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
    """The text of a file in schemas/; for a topic with several writers, it has the form of each."""
    schema = schema_of(result)
    if other := _ALSO.get(result):
        head = {name: schema.pop(name) for name in ("$schema", "title", "description")}
        theirs = json.loads(other.read_text(encoding="utf-8"))
        theirs.pop("$schema")
        ours = {"title": "An answer of analytics: error_burst or brute_force", **schema}
        head["description"] = f"A record of topic {result}: it has one of two forms."
        schema = {**head, "oneOf": [ours, theirs]}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in declarations():
        (FOLDER / f"{name}.json").write_text(text_of(name), encoding="utf-8")
