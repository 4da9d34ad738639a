"""Rules for measuring: as many as wanted, over the kinds of events that the generator writes, like SigmaHQ's.

Half of them are about process creations, as there; few of them match, as in practice.
"""

from __future__ import annotations

import random
import uuid
from pathlib import Path

from producer.events.catalogue.event_catalogue import load_catalogue

_NAMES = (
    "mimikatz",
    "psexec",
    "procdump",
    "rundll32",
    "regsvr32",
    "certutil",
    "bitsadmin",
    "wmic",
    "cscript",
    "mshta",
)
_WORDS = (
    "-enc",
    "downloadstring",
    "lsass",
    "sekurlsa",
    "invoke-",
    "frombase64",
    "http://",
    "/c start",
    "vssadmin",
)


def write(folder: Path, count: int) -> Path:
    """One file of `count` rules."""
    dice = random.Random(7)
    kinds = sorted(
        (each.channel, each.event_id, sorted(each.data)) for each in load_catalogue().event_types.values()
    )
    kinds = [kind for kind in kinds if kind[2]]
    texts = [_process(dice) if number % 2 else _event(dice, *dice.choice(kinds)) for number in range(count)]
    file = folder / f"{count}.yml"
    file.write_text("---\n".join(texts), encoding="utf-8")
    return file


def _head(dice: random.Random, service: str) -> str:
    key = uuid.uuid5(uuid.NAMESPACE_URL, service + str(dice.random()))
    head = f"title: Rule {key}\nid: {key}\nlevel: medium\n"
    return f"{head}logsource: {{product: windows, {service}}}\ndetection:\n"


def _process(dice: random.Random) -> str:
    names = [f"'\\{name}{dice.randint(1, 99)}.exe'" for name in dice.sample(_NAMES, 2)]
    words = [f"'{word}{dice.randint(1, 99)}'" for word in dice.sample(_WORDS, 3)]
    return (
        _head(dice, "category: process_creation")
        + f"  image: {{'Image|endswith': [{', '.join(names)}]}}\n"
        + f"  words: {{'CommandLine|contains': [{', '.join(words)}]}}\n"
        + f"  parent: {{'ParentImage|endswith': '\\office{dice.randint(1, 99)}.exe'}}\n"
        + "  condition: image and words and not parent\n"
    )


def _event(dice: random.Random, channel: str, event_id: int, fields: list[str]) -> str:
    field, other = dice.choice(fields), dice.choice(fields)
    word = dice.choice(
        (*_NAMES, "e")
    )  # the last one is in many texts, so that the number of matches is the same for all
    return (
        _head(dice, f"service: {channel.lower()}")
        + f"  selection: {{EventID: {event_id}, '{field}|contains': '{word}'}}\n"
        + f"  filter: {{'{other}|startswith': '{dice.choice(_WORDS)}'}}\n"
        + "  condition: selection and not filter\n"
    )
