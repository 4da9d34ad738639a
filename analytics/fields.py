"""The names of fields in questions, and their places in the four shapes of an event. Pure.

The names are those of the questions; the places are JSON paths. Only the fields of a question are read from
the JSON, because each costs time with every event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from producer.event_fields import INSERTS
from producer.event_shapes import LEVEL_NAMES, LEVELS, PATHS


@dataclass(frozen=True)
class Field:
    """A field: `paths` are its possible places, the most frequent first; `expression` is SQL over these."""

    paths: tuple[str, ...]
    expression: str


def _first(*columns: str, default: str = "") -> str:
    return f"COALESCE({', '.join((*columns, *([default] if default else [])))})"


def _where(name: str) -> tuple[str, ...]:
    """The JSON paths of a field in the shapes that win-event-producer writes."""
    shapes = ("flat", "winlogbeat", "nxlog", "winevtlog")
    return tuple(dict.fromkeys(".".join(PATHS[shape][name]) for shape in shapes))


def _field(name: str, expression: str = "{}", default: str = "") -> Field:
    paths = _where(name)
    return Field(paths, expression.format(_first(*paths, default=default)))


def _data(name: str) -> Field:
    """A field of EventData, which is in `data`, in event_data, at the top level, or among the inserts."""
    cases = " ".join(
        f"WHEN EventID IN ({', '.join(repr(str(event)) for event in events)}) THEN StringInserts[{position}]"
        for position, events in INSERTS[name].items()
    )
    inserts = f"CASE WHEN StringInserts IS NULL OR LOWER(Channel) <> 'security' THEN NULL {cases} END"
    return Field(
        (f"data.{name}", f"winlog.event_data.{name}", name, "StringInserts", "EventID", "Channel"),
        _first(f"`data`.{name}", f"winlog.event_data.{name}", name, inserts),
    )


_CHANNEL = _where("source")


def _named(column: str) -> str:
    """The Windows name of a level, in SQL; another word stays, as in event_shapes.level_name."""
    cases = " ".join(f"WHEN '{word}' THEN '{name}'" for word, name in LEVEL_NAMES.items())
    return f"CASE LOWER({column}) {cases} ELSE {column} END"


# NXLog calls a failed audit an ERROR, though Windows gives it the level Information.
_LEVEL = f"""CASE
    WHEN `level` IS NOT NULL THEN {_named("`level`")}
    WHEN `log`.`level` IS NOT NULL THEN {_named("`log`.`level`")}
    WHEN UPPER(EventType) LIKE '%AUDIT%' THEN '{LEVELS[0]}'
    WHEN Severity IS NOT NULL THEN {_named("Severity")}
    WHEN `Level` IS NOT NULL THEN {_named("`Level`")}
    ELSE 'unknown' END"""

FIELDS: dict[str, Field] = {
    "level": Field(("level", "log.level", "EventType", "Severity", "Level"), _LEVEL),
    # `source` comes last: in ECS it is an object about the sender, beside winlog.channel.
    "source": Field(_CHANNEL, _first(*reversed(_CHANNEL), default="'unknown'")),
    "event_id": _field("event_id", "TRY_CAST({} AS INT)"),
    "record_id": _field("record_id", "COALESCE(TRY_CAST({} AS BIGINT), 0)"),
    "computer": _field("computer", default="'unknown'"),
    "provider": _field("provider"),
    "message": _field("message"),
    "account": _data("TargetUserName"),
    "logon_id": _data("TargetLogonId"),
    "logon_type": _data("LogonType"),
    "address": _data("IpAddress"),
}

TIMESTAMPS = _where("timestamp")


def columns(names: Iterable[str], more: Iterable[str] = ()) -> str:
    """The columns for these fields, as SQL; objects of the JSON become nested rows."""
    tree: dict[str, dict[str, object]] = {}
    for path in (*more, *(path for name in names for path in FIELDS[name].paths)):
        branch: dict[str, object] = tree  # type: ignore[assignment]
        for step in path.split("."):
            branch = branch.setdefault(step, {})  # type: ignore[assignment]
    return ",\n  ".join(f"`{name}` {_type(name, branch)}" for name, branch in tree.items())


def _type(name: str, branch: dict[str, object]) -> str:
    if name == "StringInserts":
        return "ARRAY<STRING>"
    if not branch:
        return "STRING"
    return "ROW<" + ", ".join(f"`{k}` {_type(k, v)}" for k, v in branch.items()) + ">"  # type: ignore[arg-type]
