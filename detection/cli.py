"""win-event-detect: the command line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from detection.correlation.correlator import Bounds
from detection.detector import Detector
from detection.running.advice import notes
from detection.running.examples import run_examples
from detection.running.lines import LineBlocks
from detection.running.process import run
from detection.running.report import LEVELS, JsonReport, PrettyReport
from detection.running.rule_source import RulesError, RuleSource
from detection.running.view import rules_table

_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_EXIT = (
    "Exit codes: 0 ok; 1 there are alerts and --fail-on-alert, or the work failed; 2 usage; 130 interrupted."
)


class _WithDefault(click.Group):
    """`win-event-detect FILE` is `win-event-detect run FILE`: only the other commands need their name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help of `run`, and the other commands."""
        command = self.commands["run"]
        command.format_help(click.Context(command, info_name=ctx.info_name, max_content_width=100), formatter)
        others = [
            (name, each.get_short_help_str(80)) for name, each in self.commands.items() if name != "run"
        ]
        with formatter.section("Other commands"):
            formatter.write_dl(others)


def option(name: str, variable: str, **attributes: Any) -> Callable[[Any], Any]:
    attributes.setdefault("show_default", True)
    return click.option(name, envvar=variable, show_envvar=True, **attributes)


RULE_OPTIONS = (
    option(
        "--rules", "WIN_EVENT_RULES", multiple=True, type=_PATH, metavar="DIR|FILE", show_default="our own",
        help="Sigma rules: every .yml below; repeat it.",
    ),
    option(
        "--pipeline", "WIN_EVENT_PIPELINE", multiple=True, type=_FILE, metavar="FILE",
        help="A processing pipeline of pySigma for field names and placeholders; repeat it.",
    ),
)  # fmt: skip
DETECTION_OPTIONS = (
    option(
        "--max-lateness", "WIN_EVENT_MAX_LATENESS", type=click.FloatRange(0, 86_400), default=60.0,
        metavar="SECONDS",
        help="How far events may be out of order. Correlations pass over what is later, and count it. "
        "They hold rate × (timespan + this) events, about 150 bytes each.",
    ),
    option(
        "--max-window", "WIN_EVENT_MAX_WINDOW", type=click.IntRange(10), default=100_000, metavar="EVENTS",
        help="Events that one group of a correlation holds at most; the oldest go, and are counted.",
    ),
    option(
        "--max-groups", "WIN_EVENT_MAX_GROUPS", type=click.IntRange(1), default=100_000, metavar="GROUPS",
        help="Groups that one correlation holds at most; the oldest go, and are counted.",
    ),
)  # fmt: skip


def options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for each in reversed([one for group in groups for one in group]):
            command = each(command)
        return command

    return add


@click.group(cls=_WithDefault, context_settings=_HELP)
def main() -> None:
    """Sigma rules and correlations over Windows events."""


@main.command("run", epilog=_EXIT, hidden=True)
@click.argument("files", nargs=-1, type=_PATH, metavar="[FILE|-]...")
@options(RULE_OPTIONS)
@option(
    "--output", "WIN_EVENT_OUTPUT", type=click.Choice(["pretty", "json"]),
    show_default="pretty on a terminal", help="json: one alert a line, as it ends.",
)  # fmt: skip
@option(
    "--min-level", "WIN_EVENT_MIN_LEVEL", type=click.Choice(LEVELS), default="low",
    help="Alerts of lower levels are counted only. Correlations see every hit.",
)  # fmt: skip
@click.option("--fail-on-alert", is_flag=True, help="Exit with 1 when there was an alert.")
@option(
    "--watch",
    "WIN_EVENT_WATCH",
    is_flag=True,
    default=False,
    help="Load changed rules; SIGHUP does it at once.",
)
@options(DETECTION_OPTIONS)
def detect(files: tuple[Path, ...], **values: Any) -> None:
    """Find attacks in Windows events by Sigma rules: in files and in a pipe.

    Events are JSON lines in the shapes of win-event-producer, Winlogbeat, NXLog, Fluent Bit and evtx_dump.
    What a rule is refused for is said with its file and line; the others go on.

    \b
    Examples:
      win-event-producer --stdout --rate max --count 100000 --scenario brute-force | win-event-detect -
      win-event-detect --rules sigma/rules/windows --output json --fail-on-alert events.ndjson
      win-event-detect test my-rules/
    """
    rules = RuleSource(values["rules"], values["pipeline"])
    report = _report(values["output"], values["min_level"])
    try:
        found = rules.load()
        report.loaded(found)
        bounds = Bounds(values["max_window"], values["max_groups"])
        detector = Detector(found, values["max_lateness"], bounds)
        blocks = LineBlocks([None if str(file) == "-" else file for file in files] or [None])
        for name in blocks.names:
            detector.clock.expect(name)
        asked = _Asked(rules, report, values["watch"])
        try:
            run(detector, blocks, report.take, asked.new_rules)
        finally:
            report.end(detector, blocks.too_long)
    except (RulesError, OSError) as error:
        click.secho(f"win-event-detect: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1 if values["fail_on_alert"] and report.alerts else 0)


def _report(output: str | None, lowest: str) -> JsonReport | PrettyReport:
    chosen = output or ("pretty" if sys.stdout.isatty() else "json")
    return PrettyReport(lowest) if chosen == "pretty" else JsonReport(lowest)


class _Asked:
    """New rules, when somebody sent SIGHUP or files changed. A set with a new mistake is refused whole."""

    def __init__(self, rules: RuleSource, report: JsonReport | PrettyReport, watch: bool) -> None:
        self._rules, self._report, self._watch = rules, report, watch
        self._wanted = False
        self._known = {str(refusal) for refusal in rules.load().refusals}
        signal.signal(signal.SIGHUP, self._want)

    def _want(self, *_: object) -> None:
        self._wanted = True

    def new_rules(self) -> Any:
        if not self._wanted and not (self._watch and self._rules.changed()):
            return None
        self._wanted = False
        try:
            found = self._rules.load()
        except RulesError as error:
            self._report.say(f"the old rules stay: {error}")
            return None
        mistakes = [str(refusal) for refusal in found.refusals if str(refusal) not in self._known]
        if mistakes:
            self._report.say("the old rules stay: " + "; ".join(mistakes[:3]))
            return None
        self._report.loaded(found)
        return found


@main.command("test")
@click.argument("paths", nargs=-1, type=_PATH, metavar="[DIR|FILE]...")
@options(RULE_OPTIONS[1:])
def test(paths: tuple[Path, ...], pipeline: tuple[Path, ...]) -> None:
    """Check rules, and run the examples that they carry; exit 1 when one fails or a rule is refused."""
    try:
        rules = RuleSource(paths, pipeline).load()
    except RulesError as error:
        click.secho(f"win-event-detect: {error}", fg="red", err=True)
        sys.exit(1)
    results = list(run_examples(rules))
    failed = [each for each in results if not each.passed]
    for refusal in rules.refusals:
        click.secho(f"refused: {refusal}", fg="red")
    for each in failed:
        wanted = "must match" if each.must_match else "must not match"
        why = each.problem or ("it does not" if each.must_match else "it does")
        place = f"{each.head.path}:{each.head.line}: {each.head.title}"
        click.secho(f"failed: {place}: example {each.number} {wanted}: {why}", fg="red")
    without = sum(1 for head in rules.heads.values() if not head.examples)
    click.echo(
        f"{len(rules.heads)} rules, {len(rules.refusals)} refused, "
        f"{len(results) - len(failed)} examples passed, {len(failed)} failed, {without} without examples"
    )
    sys.exit(1 if failed or rules.refusals else 0)


@main.command("rules")
@click.argument("paths", nargs=-1, type=_PATH, metavar="[DIR|FILE]...")
@options(RULE_OPTIONS[1:])
def show_rules(paths: tuple[Path, ...], pipeline: tuple[Path, ...]) -> None:
    """Show what is loaded: the events and fields of each rule, and what will never match here."""
    try:
        rules = RuleSource(paths, pipeline).load()
    except RulesError as error:
        click.secho(f"win-event-detect: {error}", fg="red", err=True)
        sys.exit(1)
    console = Console(highlight=False)
    wide = console if console.is_terminal else Console(highlight=False, width=160)
    wide.print(rules_table(rules, notes(rules)))
    for refusal in rules.refusals:
        click.secho(f"refused: {refusal}", fg="yellow", err=True)


if __name__ == "__main__":
    main()
