"""docs/EVENTS.md and docs/PROTOCOL.md agree with the code."""

import re
from pathlib import Path

import pytest

from producer.events.catalogue.event_catalogue import CHANNELS, load_catalogue
from producer.events.catalogue.values import FUNCTIONS
from producer.events.clock import TIME_TEXTS
from producer.events.hosts import HOST_VALUES, USER_VALUES
from producer.options_cli import producer_options
from producer.protocol import GRACE_SECONDS, MAX_LINE_BYTES, MAX_REQUEST_BYTES

DOCS = Path(__file__).parents[3] / "docs"
EVENTS, PROTOCOL = (DOCS / "EVENTS.md").read_text(), (DOCS / "PROTOCOL.md").read_text()


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_event_type_is_listed(channel: str) -> None:
    section = EVENTS.split(f"### {channel} (")[1].split("###")[0]
    listed = {
        (provider.strip(), int(event_id))
        for provider, ids in re.findall(r"^\| ([^|]+) \| ([\d ]+) \|$", section, re.MULTILINE)
        for event_id in ids.split()
    }
    types = load_catalogue().event_types.values()
    assert listed == {(each.provider, each.event_id) for each in types if each.channel == channel}
    assert section.startswith(f"{len(listed)})")


def test_every_value_kind_and_scenario_is_explained() -> None:
    names = [name for name in (*HOST_VALUES, *USER_VALUES) if not name.startswith("pid.")]
    scenarios = [story.name for story in load_catalogue().stories.values() if story.scenario]
    for name in [*names, *TIME_TEXTS, *FUNCTIONS, *scenarios]:
        assert re.search(rf"\b{name}\b", EVENTS), name


def test_every_option_that_is_named_exists() -> None:
    known = {option for each in producer_options(lambda: None).__click_params__ for option in each.opts}
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", EVENTS + PROTOCOL):
        assert option in known, option


def test_the_numbers_of_the_protocol() -> None:
    assert f"{GRACE_SECONDS * 1000:.0f} ms" in PROTOCOL
    assert f"{MAX_REQUEST_BYTES} bytes" in PROTOCOL
    assert f"{MAX_LINE_BYTES:,} bytes" in PROTOCOL
