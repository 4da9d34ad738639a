"""Several cases of a section from one run, which yields all percentiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bench.measurement import Sample
from toolkit.ranks import nearest_rank


class Percentiles:
    """The cases take the percentiles one after the other; a repeated percentile starts a new run."""

    def __init__(self, measure: Callable[[], Iterable[float]], wanted: Sequence[float]) -> None:
        self._measure, self._wanted = measure, wanted
        self._found: dict[float, float] = {}
        self._count = 0

    def sample(self, wanted: float) -> Sample:
        """A percentile by the nearest rank, in the measured unit.

        Raises RuntimeError if nothing was measured.
        """
        if wanted not in self._found:
            values = sorted(self._measure())
            self._count = len(values)
            if not values:
                raise RuntimeError("there was no answer")
            self._found = {each: values[nearest_rank(each, len(values)) - 1] for each in self._wanted}
        return Sample(float(self._found.pop(wanted)), self._count)
