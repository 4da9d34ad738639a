"""The components of a running producer, for code that reads its state or controls it."""

from __future__ import annotations

from dataclasses import dataclass

from producer.feeding import Feeding
from producer.log.event_log import EventLog
from producer.log.intake import Intake
from producer.rate_report import RateReport
from producer.serving.server import Server


@dataclass(frozen=True)
class Components:
    log: EventLog
    server: Server
    feeding: Feeding
    report: RateReport
    intake: Intake

    @property
    def problem(self) -> str:
        """Why this producer is not ready; empty if it is."""
        return self.log.trouble if self.server.is_listening else "the producer is stopping"
