"""The event catalogue as values: event types, tables of words, stories. Loaded from YAML files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from producer.event_shapes import LEVELS
from producer.events.catalogue.stories import Story, read_stories
from producer.events.catalogue.values import check_kind, check_text
from producer.events.catalogue.vocabulary import Tables, read_tables
from producer.events.catalogue.yaml_file import CatalogueError, Section, read_catalogue_file
from producer.events.generator_settings import BUILT_IN

PROFILES = ("workstation", "server", "domain-controller", "mixed", "audit-all")
WEIGHTED = ("workstation", "server", "domain-controller", "audit-all")  # mixed = the roles side by side
CHANNELS = {"Security": "security.yaml", "System": "system.yaml", "Application": "application.yaml"}
AUDIT_SUCCESS, AUDIT_FAILURE = 0x0020000000000000, 0x0010000000000000

PLACEHOLDER = re.compile(r"\{(\w+)(\|text)?\}")
_EVENT_FIELDS = (
    "id", "version", "level", "task", "opcode", "keywords", "provider", "guid", "process", "weight",
    "data", "message",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class EventType:
    """One row of a channel file. `data` maps field names to value kinds, in the order Windows writes them."""

    channel: str
    event_id: int
    version: int
    level: int
    task: int
    task_name: str
    opcode: int
    opcode_name: str
    keywords: int
    provider: str
    guid: str
    process: str
    data: dict[str, str]
    message: str
    weight: dict[str, float] = field(default_factory=dict)

    @property
    def level_name(self) -> str:
        return LEVELS[self.level]

    @property
    def event_type(self) -> str:
        """The text of Event Viewer's column Keywords: the audit outcome, or else the level."""
        if self.channel == "Security" and self.keywords & AUDIT_SUCCESS:
            return "Audit Success"
        if self.channel == "Security" and self.keywords & AUDIT_FAILURE:
            return "Audit Failure"
        return self.level_name


@dataclass(frozen=True)
class Catalogue:
    """Everything that generation uses; the keys of `event_types` are "Channel/id"."""

    event_types: dict[str, EventType]
    tables: Tables
    stories: dict[str, Story]


def load_catalogue(folder: Path = BUILT_IN) -> Catalogue:
    """Read and validate the channel files, vocabulary.yaml and stories.yaml of `folder`.

    A file that the folder does not have is taken from the built-in catalogue. Raises CatalogueError.
    """
    if not folder.is_dir():
        raise CatalogueError(f"{folder}: no such folder; copy {BUILT_IN} to start your own catalogue")
    tables = read_tables(read_catalogue_file(_file(folder, "vocabulary.yaml")))
    event_types: dict[str, EventType] = {}
    for channel, name in CHANNELS.items():
        event_types |= _read_channel(read_catalogue_file(_file(folder, name)), channel, tables)
    texts = {name: _fields_with_text(event_type.message) for name, event_type in event_types.items()}
    stories = read_stories(read_catalogue_file(_file(folder, "stories.yaml")), texts, tables, WEIGHTED)
    return Catalogue(event_types, tables, stories)


def _file(folder: Path, name: str) -> Path:
    own = folder / name
    return own if own.exists() else BUILT_IN / name


def _read_channel(document: Section, channel: str, tables: Tables) -> dict[str, EventType]:
    document.allow("channel", "provider", "guid", "process", "keywords", "events")
    if document.text("channel") != channel:
        raise document.fail("channel", f"expected {channel}")
    event_types: dict[str, EventType] = {}
    for row in document.sections("events"):
        event_type = _read_event_type(row, document, channel, tables)
        name = f"{channel}/{event_type.event_id}"
        if "provider" in row and name in event_types:  # two providers may use the same id
            name = f"{name}/{event_type.provider}"
        if name in event_types:
            raise row.fail("id", f"{event_type.event_id} occurs twice")
        event_types[name] = event_type
    return event_types


def _read_event_type(row: Section, document: Section, channel: str, tables: Tables) -> EventType:
    row.allow(*_EVENT_FIELDS)
    task, task_name = _pair(row, "task", "None")
    opcode, opcode_name = _pair(row, "opcode", "Info")
    return EventType(
        channel=channel,
        event_id=row.integer("id", highest=65535),
        version=row.integer("version", 0, highest=255),
        level=row.integer("level", 0 if channel == "Security" else 4, highest=5),
        task=task,
        task_name=task_name,
        opcode=opcode,
        opcode_name=opcode_name,
        keywords=row.integer("keywords", document.integer("keywords")),
        provider=row.text("provider", document.text("provider", "")),
        # a provider without a GUID is a classic one, which has none
        guid=row.text("guid", "") if "provider" in row else row.text("guid", document.text("guid", "")),
        process=row.text("process", document.text("process", "system")),
        data=_read_data(row, tables),
        message=_read_message(row),
        weight=row.weights("weight", WEIGHTED),
    )


def _pair(row: Section, name: str, default: str) -> tuple[int, str]:
    value = row.get(name, [0, default])
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], int):
        raise row.fail(name, f"expected [number, name], found {value!r}")
    return value[0], str(value[1])


def _read_data(row: Section, tables: Tables) -> dict[str, str]:
    section = row.section("data")
    data = {name: section.text(name) for name in section}
    for name, kind in data.items():
        if why := check_kind(kind, tables):
            raise section.fail(name, why)
    return data


def _fields_with_text(message: str) -> frozenset[str]:
    return frozenset(match[1] for match in PLACEHOLDER.finditer(message) if match[2])


def _read_message(row: Section) -> str:
    message, known = row.text("message"), row.section("data")
    for match in PLACEHOLDER.finditer(message):
        if match[1] not in known:
            raise row.fail("message", f"{match[0]} is not a field of data")
        if match[2] and (why := check_text(known.text(match[1]))):
            raise known.fail(match[1], f"{match[0]} in message: {why}")
    return message.rstrip("\n")
