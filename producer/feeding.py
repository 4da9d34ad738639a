"""The sources of the log: the generator, a file, or both, each with its own rate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from producer.files.source import FileEvents
from producer.log.feeder import Feeder
from producer.log.generated import GeneratedEvents


@dataclass(frozen=True)
class Feeding:
    """The running sources of a log.

    `main` makes the events that --rate and --count limit; `generator` is None if nothing is generated.
    """

    main: Feeder
    beside: Feeder | None
    generated: GeneratedEvents | None
    file: FileEvents | None

    @property
    def feeders(self) -> list[Feeder]:
        return [self.main, self.beside] if self.beside else [self.main]

    @property
    def scenarios(self) -> list[str]:
        return self.generated.generator.scenarios() if self.generated else []

    @property
    def made(self) -> int:
        return sum(feeder.made for feeder in self.feeders)

    @property
    def is_over(self) -> bool:
        return all(feeder.control.is_over for feeder in self.feeders)

    @contextmanager
    def generating_beside(self) -> Iterator[None]:
        """Generate events beside a file, in a separate thread, until the load is stopped."""
        thread = threading.Thread(target=self.beside.run, name="generate") if self.beside else None
        if thread:
            thread.start()
        try:
            yield
        finally:
            self.main.stop.set()
            if thread:
                thread.join()

    def run(self) -> None:
        """Feed until the main load has ended."""
        self.main.run()
        if self.file:
            self.file.finish()
