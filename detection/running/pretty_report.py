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
        self._printed: dict[str, int] = {}  # by id, the count in the last line of an alert that is not over

    def take(self, alert: Alert) -> bool:
        shown = super().take(alert)
        doubled = alert.count >= 2 * self._printed.get(alert.id, 0)
        if shown and (alert.new or (doubled and not alert.over)):
            self._page.print(alert_line(alert))
            self._printed[alert.id] = alert.count
        if alert.over:
            self._printed.pop(alert.id, None)
        return shown

    def end(self, detector: Detector, too_long: int) -> None:
        super().end(detector, too_long)
        if self.by_rule:
            self._page.print(summary(self.by_rule, self.events, self.rules))
