"""Stories: event types that belong together, in order, sharing values. Data: catalogue/stories.yaml."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from producer.events.catalogue.values import check_kind, check_text
from producer.events.catalogue.vocabulary import Tables
from producer.events.catalogue.yaml_file import Section


@dataclass(frozen=True)
class Step:
    """One step of a story.

    `event` happens `delay` (median and 90 % quantile, in seconds) after the step before it. `repeat` is the
    lowest and highest number of times; `override` replaces value kinds of data fields. `user`: "same" for the
    user of the story so far, "next" for another user each time.
    """

    event: str
    delay: tuple[float, float] = (0.0, 0.0)
    chance: float = 1.0
    repeat: tuple[int, int] = (1, 1)
    override: dict[str, str] = field(default_factory=dict)
    user: str = "same"
    host: str = "same"


@dataclass(frozen=True)
class Story:
    """A sequence of steps.

    `weight` says for each profile how often the story starts; a scenario starts only on request.
    """

    name: str
    weight: dict[str, float]
    scenario: bool
    steps: tuple[Step, ...]

    def mean_events(self) -> float:
        return sum(step.chance * (step.repeat[0] + step.repeat[1]) / 2 for step in self.steps)


def read_stories(
    document: Section, events: Mapping[str, Container[str]], tables: Tables, profiles: Iterable[str]
) -> dict[str, Story]:
    """The stories of a document.

    `events`: for each "Channel/id", the fields for which the message shows the text of a %%-number.
    """
    document.allow("stories", "scenarios")
    return {
        name: _read_story(document.section(group), name, events, tables, profiles)
        for group in ("stories", "scenarios")
        for name in document.section(group)
    }


def _read_story(
    group: Section, name: str, events: Mapping[str, Container[str]], tables: Tables, profiles: Iterable[str]
) -> Story:
    section = group.section(name)
    section.allow("weight", "steps", "about")
    steps = tuple(_read_step(step, events, tables) for step in section.sections("steps"))
    if not steps:
        raise group.fail(name, "has no steps")
    return Story(name, section.weights("weight", profiles), "weight" not in section, steps)


def _read_step(section: Section, events: Mapping[str, Container[str]], tables: Tables) -> Step:
    section.allow("event", "delay", "chance", "repeat", "set", "user", "host")
    event = section.text("event")
    if event not in events:
        raise section.fail("event", f"{event} is not in the catalogue; write Channel/id")
    user, host = section.text("user", "same"), section.text("host", "same")
    if user not in ("same", "next"):
        raise section.fail("user", f"expected same or next, found {user!r}")
    if host not in ("same", "next", "domain-controller"):
        raise section.fail("host", f"expected same, next or domain-controller, found {host!r}")
    override = section.section("set")
    for name in override:
        kind = override.text(name)
        if why := check_kind(kind, tables) or (check_text(kind) if name in events[event] else None):
            raise override.fail(name, why)
    median, quantile = _two(section, "delay", (0.002, 0.02))
    low, high = _two(section, "repeat", (1, 1))
    return Step(
        event,
        (median, quantile),
        section.number("chance", 1.0, 0.0, 1.0),
        (int(low), int(high)),
        {name: override.text(name) for name in override},
        user,
        host,
    )


def _two(section: Section, field: str, default: tuple[float, float]) -> tuple[float, float]:
    value = section.get(field, default)
    if isinstance(value, (int, float)):
        value = (value, value)
    if (
        not isinstance(value, (list, tuple))
        or len(value) != 2
        or not all(isinstance(each, (int, float)) for each in value)
        or value[0] > value[1]
    ):
        raise section.fail(field, f"expected a number or [low, high], found {value!r}")
    return value[0], value[1]
