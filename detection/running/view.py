"""Alerts as lines for a person at a terminal. Pure: rich renders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from detection.alerts import Alert
from detection.matching.rule_set import RuleSet
from detection.running.score import Score
from toolkit.terminal_text import printable

_PIPE_COLUMNS = 160  # without a terminal, rich would fold lines at 80 characters
_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}


class _Page(Console):
    def on_broken_pipe(self) -> None:
        """Without this, rich ends the process with exit code 1."""
        raise BrokenPipeError


def page() -> Console:
    """Standard output for lines and tables. Printing raises BrokenPipeError when the reader has gone."""
    console = _Page(highlight=False)
    return console if console.is_terminal else _Page(highlight=False, width=_PIPE_COLUMNS)


def alert_line(alert: Alert) -> Text:
    """Time, level, title, group, and the count so far."""
    head = alert.head
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{alert.last[:19].replace('T', ' ') or 'no time':19}  ", "dim")
    line.append(f"{head.level:13} ", _STYLES.get(head.level, ""))
    line.append(head.title, "bold")
    for name, value in alert.group.items():
        line.append(f"  {name}=", "dim").append(printable(value))
    if alert.count > 1:
        line.append(f"  {alert.count} events", "" if alert.new else "dim")
        line.append(f" since {alert.first[11:19]}", "dim")
    techniques = [tag.removeprefix("attack.").upper() for tag in head.tags if tag.startswith("attack.t")]
    if techniques:
        line.append(f"  {' '.join(techniques)}", "dim")
    return line


def summary(alerts: Counter[str], events: Counter[str], rules: RuleSet) -> Table:
    """A table with the alerts of each rule, and the number of their events."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in (("rule", "left"), ("level", "left"), ("alerts", "right"), ("events", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # one of the words that rich knows
    for key, count in alerts.most_common():
        head = rules.heads.get(key)
        level = head.level if head else ""
        table.add_row(
            head.title if head else key, Text(level, _STYLES.get(level, "")), f"{count:,}", f"{events[key]:,}"
        )
    return table


def score_table(rows: Iterable[Score]) -> Table:
    """One row for each rule and scenario."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in (
        "rule",
        "scenario",
        "alerts",
        "right",
        "played",
        "found",
        "open",
        "precision",
        "recall",
        "p50",
        "p99",
    ):
        table.add_column(name, justify="left" if name in ("rule", "scenario") else "right")
    for each in rows:
        shares = (each.precision, each.recall)
        delays = (each.delay(50), each.delay(99))
        counts = (each.alerts, each.right, each.played, each.found, each.open)
        table.add_row(
            each.head.title, each.scenario, *map(str, counts),
            *("–" if share is None else f"{share:.2f}" for share in shares),
            *("–" if delay is None else f"{delay:.3f} s" for delay in delays),
        )  # fmt: skip
    return table


def rules_table(rules: RuleSet, notes: dict[str, str]) -> Table:
    """The loaded rules, with the events and fields of each, and remarks."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("rule", "level", "events", "fields", "note"):
        table.add_column(name, overflow="fold")
    for rule in rules.rules:
        places = [f"{s.channel or '*'} {_ids(s.event_ids)}" for s in rule.sources]
        table.add_row(
            rule.head.title, rule.head.level, "\n".join(places), " ".join(sorted(rule.fields)),
            notes.get(rule.head.key, ""),
        )  # fmt: skip
    for correlation in rules.correlations:
        sigma = correlation.sigma
        told = f"{sigma.type.name.lower()} in {sigma.timespan.spec} of {', '.join(correlation.names)}"
        table.add_row(
            correlation.head.title, correlation.head.level, told, " ".join(sigma.group_by or ()),
            notes.get(correlation.head.key, ""),
        )  # fmt: skip
    return table


def _ids(ids: Iterable[int] | None) -> str:
    return "*" if ids is None else " ".join(map(str, sorted(ids)))
