import re
import shutil
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from producer.events.catalogue.event_catalogue import load_catalogue
from producer.events.catalogue.yaml_file import CatalogueError, read_catalogue_file
from producer.events.generator import generate
from producer.events.generator_settings import BUILT_IN, GeneratorSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUILT_IN, tmp_path / "catalogue"))


def test_the_built_in_catalogue_is_as_wide_as_promised() -> None:
    catalogue = load_catalogue()
    channels = Counter(event.channel for event in catalogue.event_types.values())
    assert channels["Security"] >= 30
    assert channels["System"] >= 25
    assert channels["Application"] >= 20
    assert all(event.provider for event in catalogue.event_types.values())


def test_every_event_type_can_happen() -> None:
    catalogue = load_catalogue()
    in_stories = {step.event for story in catalogue.stories.values() for step in story.steps}
    alone = {name for name, event in catalogue.event_types.items() if any(event.weight.values())}
    assert set(catalogue.event_types) - in_stories - alone == set()


HOME, NO_TEXT = 'HomeDirectory: "=%%1793"', "has no text: |text goes with"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("security.yaml", "LogonId: story.logon_id", "LogonId: story.logonid", "TargetLogonId: 'logonid'"),
        ("security.yaml", "version: 2", "version: x", "version: expected a whole number"),
        ("security.yaml", "{ElevatedToken|text}", "{Elevated}", "message: {Elevated} is not a field"),
        ("security.yaml", "  - id: 4634", "  - id: 4624", "id: 4624 occurs twice"),
        ("system.yaml", "level: 3", "levle: 3", "levle: unknown field; known: id,"),
        ("system.yaml", "1: event.service.display", "1: event.service.colour", "table service has columns"),
        ("system.yaml", "task: [1014,", "task: [many,", "task: expected [number, name]"),
        ("application.yaml", "channel: Application", "channel: Setup", "channel: expected Application"),
        ("vocabulary.yaml", 'name: "wuauserv", display:', 'name: "wuauserv", shown:', "needs the columns"),
        ("security.yaml", HOME, "HomeDirectory: host.name", "{HomeDirectory|text} in message"),
        ("security.yaml", HOME, "HomeDirectory: time.iso", NO_TEXT),
        ("security.yaml", HOME, "HomeDirectory: story.pid", NO_TEXT),
        ("stories.yaml", 'FailureReason: "=%%2313"', "FailureReason: user.name", NO_TEXT),
        ("stories.yaml", "event: Security/4672, chance", "event: Security/9, chance", "Security/9 is not in"),
        ("stories.yaml", "chance: 0.83", "chance: 83", "chance: expected a number 0.0..1.0, found 83"),
        ("stories.yaml", "delay: [0.6, 11]", "delay: [11, 0.6]", "delay: expected a number or [low, high]"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_and_field(
    folder: Path, file: str, old: str, new: str, expected: str
) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(folder)
    message = str(raised.value)
    assert message.startswith(f"{folder / file}:")
    assert expected in message
    line = int(message.split(":")[1])
    changed = (folder / file).read_text().splitlines()
    near = "\n".join(changed[max(line - 1, 0) : line + 60])
    assert new.splitlines()[0].strip("{ -") in near


@pytest.mark.parametrize("number", ["010", "12:30", ".inf", ".nan", "1:30.5", "[]"])
def test_a_number_is_written_in_digits(folder: Path, number: str) -> None:
    for file, field in (("security.yaml", "version: 2"), ("stories.yaml", "chance: 0.83")):
        text, name = (folder / file).read_text(), field.partition(":")[0]
        (folder / file).write_text(text.replace(field, f"{name}: {number}", 1))
        with pytest.raises(CatalogueError, match=rf"{file}:\d+: {name}: expected a .*number"):
            load_catalogue(folder)
        (folder / file).write_text(text)


@pytest.mark.parametrize("value", ["12:30", "010", ".inf", "1:30.5", "2026-13-45"])
def test_what_yaml_takes_for_a_number_or_a_date_is_text(tmp_path: Path, value: str) -> None:
    (tmp_path / "mine.yaml").write_text(f"a: {value}\n")
    assert read_catalogue_file(tmp_path / "mine.yaml").text("a") == value


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a: 1\nb: &x\n  c: *x\n", "2: nests too deep; perhaps an anchor contains itself"),
        (b"a: 1\nb: &x [*x]\n", "2: nests too deep; perhaps an anchor contains itself"),
        (b"a: " + b"[" * 2000 + b"]" * 2000, "1: nests too deep"),
        (b"a: 1\nb: caf\xe9\n", "2: not UTF-8: byte 0xe9"),
        (b"a: \xc3\xa4\nb: \x00\n", "2: not YAML: control characters are not allowed"),
        (b"- a\n", "1: expected a mapping at the top level"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(CatalogueError, match="^" + re.escape(f"{file}:{complaint}")):
        read_catalogue_file(file)


def test_a_step_without_a_delay_is_named(folder: Path) -> None:
    text = (folder / "stories.yaml").read_text()
    (folder / "stories.yaml").write_text(text.replace("delay: [0.6, 11]", "delay: ", 1))
    with pytest.raises(CatalogueError, match=r"stories\.yaml:\d+: delay: expected a number or \[low, high\]"):
        load_catalogue(folder)


def test_broken_yaml_is_named_with_its_line(folder: Path) -> None:
    (folder / "system.yaml").write_text("channel: System\nevents: [\n")
    with pytest.raises(CatalogueError, match=r"system\.yaml:\d+: not YAML"):
        load_catalogue(folder)


def test_a_folder_with_one_file_extends_the_built_in_catalogue(tmp_path: Path) -> None:
    (tmp_path / "application.yaml").write_text(
        "channel: Application\nkeywords: 0x80000000000000\nprocess: none\nprovider: Contoso\nevents:\n"
        + "".join(
            f"  - {{id: {number}, weight: 1, data: {{User: user.name}}, message: 'Hello {{User}}.'}}\n"
            for number in (7, 102, 103, 105, 326, 327, 1000, 1001, 1026, 1033, 1040, 1042, 1531, 1532, 10000)
        )
        + "".join(f"  - {{id: {number}, message: x}}\n" for number in (10001, 11707, 16384, 16394))
    )
    events = generate(GeneratorSettings(catalogue=tmp_path, channel_mix={"Application": 1.0}))
    assert any(b'"message":"Hello ' in event.line for event in islice(events, 100))


# How many values Windows' manifest of Microsoft-Windows-Security-Auditing gives each event, in the version of
# the catalogue (field lists: airbus-cert/etl-parser 76b7c04). Formats without names need each in its place.
VALUES = {
    4624: 27, 4634: 5, 4672: 5, 4625: 21, 4740: 7, 4688: 15, 4689: 7, 4616: 8, 4627: 12, 4647: 4, 4648: 14,
    4656: 17, 4658: 8, 4663: 13, 4690: 8, 4697: 9, 4698: 6, 4702: 6, 4703: 12, 4719: 8, 4720: 26, 4722: 7,
    4724: 7, 4725: 7, 4726: 8, 4728: 10, 4732: 10, 4738: 27, 4768: 14, 4769: 11, 4771: 11, 4776: 4, 4798: 9,
    4799: 9, 4800: 5, 4801: 5, 4907: 12, 5156: 13, 5158: 8, 5379: 11,
}  # fmt: skip


def test_security_events_have_all_fields_of_windows() -> None:
    ours = {each.event_id: len(each.data) for each in load_catalogue().event_types.values()
            if each.channel == "Security" and each.event_id in VALUES}  # fmt: skip
    assert ours == VALUES
