"""The alerts of one process as lines for people."""

from __future__ import annotations

from detection.alerts import Alert
from detection.detector import Detector
from detection.running.report_cli import Report
from detection.running.view import alert_line, page, summary


class PrettyReport(Report):
    """Prints a line for a new alert, another each time its count has doubled, and a table at the end."""

    def __init__(self, lowest: str) -> None:
        super().__init__(lowest)
        self._page = page()

    def take(self, alert: Alert) -> bool:
        shown = super().take(alert)
        if shown and (alert.new or not alert.over):
            self._page.print(alert_line(alert))
        return shown

    def end(self, detector: Detector, too_long: int) -> None:
        super().end(detector, too_long)
        if self.by_rule:
            self._page.print(summary(self.by_rule, self.events, self.rules))
