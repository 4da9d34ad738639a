"""The stories and single events that may start on a computer, weighted by profile and channel. Pure."""

from __future__ import annotations

from itertools import accumulate

from producer.events.catalogue.event_catalogue import Catalogue
from producer.events.catalogue.stories import Step, Story


class Picks:
    """The stories that may start on a computer of one role, with cumulative weights for random.choices."""

    def __init__(self, weighted: list[tuple[Story, float]]) -> None:
        self.stories = [story for story, _ in weighted]
        self.cumulative = list(accumulate(weight for _, weight in weighted))
        self.mean_events = (
            sum(story.mean_events() * weight for story, weight in weighted) / self.cumulative[-1]
        )


def make_picks(catalogue: Catalogue, profile: str, role: str, mix: dict[str, float]) -> Picks:
    """Weight stories and single events so that each channel gets its share of the events.

    The profile audit-all adds its own weights to those of the role.
    """
    weighted: list[tuple[Story, float]] = []
    for channel, share in mix.items():
        starts = [
            (story, weight)
            for story, own in _candidates(catalogue, channel)
            if (weight := own[role] + (own["audit-all"] if profile == "audit-all" else 0.0))
        ]
        events = sum(story.mean_events() * weight for story, weight in starts)
        weighted += [(story, weight * share / events) for story, weight in starts if share]
    return Picks(weighted)


def _candidates(catalogue: Catalogue, channel: str) -> list[tuple[Story, dict[str, float]]]:
    """The stories that begin in `channel`, and each of its event types as a separate story."""
    stories = [
        (story, story.weight)
        for story in catalogue.stories.values()
        if not story.scenario and story.steps[0].event.startswith(channel + "/")
    ]
    singles = [
        (Story("background", event.weight, False, (Step(name),)), event.weight)
        for name, event in catalogue.event_types.items()
        if event.channel == channel
    ]
    return stories + singles
