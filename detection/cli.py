"""win-event-detect: the command line.

Modules for tables and for Kafka are imported where they are used, because a run over a file needs neither.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
import orjson

from kafka_setup.connection.options import kafka_connection_options, take_connection
from producer.events.event_time import TICKS
from toolkit.extras import needed
from toolkit.options import FiniteFloat, read_environment

with needed("win-event-detect", "detect", "sigma", "re2"):
    from detection.alerts import Alert, wall_clock
    from detection.correlation.bounds import Bounds
    from detection.detector import Detector
    from detection.matching.rule_set import RuleSet
    from detection.options_cli import (
        GROUP_OPTIONS,
        LATENESS_OPTIONS,
        OUTPUT_OPTIONS,
        RULE_OPTIONS,
        TOPIC_OPTIONS,
        WINDOW_OPTIONS,
        options,
    )
    from detection.running.examples import run_examples
    from detection.running.lines import LineBlocks
    from detection.running.process import run
    from detection.running.report_cli import JsonReport, Report
    from detection.running.rule_source import RulesError, RuleSource
    from detection.running.score import Labels, Score, detected_at, scores
    from detection.topic.settings import TopicError, TopicSettings

_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_EXIT = (
    "Exit codes: 0 ok; 1 there are alerts and --fail-on-alert, or the work failed; 2 usage; 130 interrupted."
)


class _WithDefault(click.Group):
    """The command `run` needs no name: `win-event-detect FILE` means `win-event-detect run FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help", "--version")):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help of `run`, and the other commands."""
        command = self.commands["run"]
        command.format_help(click.Context(command, info_name=ctx.info_name, max_content_width=100), formatter)
        others = [
            (name, each.get_short_help_str(300)) for name, each in self.commands.items() if name != "run"
        ]
        with formatter.section("Other commands"):
            formatter.write_dl(others)


@click.group(cls=_WithDefault, context_settings=_HELP)
@click.version_option(package_name="win-event-bridge")
def main() -> None:
    """Sigma rules and correlations over Windows events."""


@main.command("run", epilog=_EXIT, hidden=True)
@click.argument("files", nargs=-1, type=_FILE, metavar="[FILE|-]...")
@options(RULE_OPTIONS, OUTPUT_OPTIONS, LATENESS_OPTIONS, WINDOW_OPTIONS, GROUP_OPTIONS, TOPIC_OPTIONS)
@kafka_connection_options
def detect(files: tuple[Path, ...], **values: Any) -> None:
    """Find attacks in Windows events by Sigma rules: in files, in a pipe, in a topic.

    Events are JSON lines in the shapes of win-event-producer, Winlogbeat, NXLog, Fluent Bit and evtx_dump.
    A rule that cannot be used is reported with its file and line; the other rules run.

    \b
    Examples:
      win-event-producer --stdout --rate max --count 100000 --scenario brute-force | win-event-detect -
      win-event-detect --rules sigma/rules/windows --output json --fail-on-alert events.ndjson
      win-event-detect --topic events_processed
      win-event-detect test my-rules/
    """
    if files and values["topic"]:
        raise click.UsageError("give files or --topic, not both")
    rules = RuleSource(values["rules"], values["pipeline"])
    report = _report(values["output"], values["min_level"])
    try:
        found = rules.load_some()
        report.loaded(found)
        bounds = Bounds(values["max_window"], values["max_groups"])
        detector = Detector(found, values["max_lateness"], bounds, wall_clock)
        asked = _Asked(rules, found, report, values["watch"])
        (_over_topic if values["topic"] else _over_lines)(files, values, detector, report, asked)
    except BrokenPipeError:  # the reader of the alerts has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (RulesError, TopicError, OSError) as error:
        _fail(error)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1 if values["fail_on_alert"] and report.has_shown else 0)


def _over_lines(
    files: tuple[Path, ...], _: dict[str, Any], detector: Detector, report: Report, asked: _Asked
) -> None:
    """Run over lines. SIGTERM and Ctrl-C end them: open alerts are written, and the exit code is 130."""
    blocks = LineBlocks([None if str(file) == "-" else file for file in files] or [None])
    for name in blocks.names:
        detector.clock.expect(name)

    def stop(*_: object) -> None:
        blocks.stop()
        for number in (signal.SIGTERM, signal.SIGINT):  # a second one ends at once
            signal.signal(number, signal.default_int_handler)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        run(detector, blocks, report.take, asked.new_rules)
    finally:
        report.end(detector, blocks.too_long)
    if blocks.stopped:
        raise KeyboardInterrupt


def _over_topic(
    _: tuple[Path, ...], values: dict[str, Any], detector: Detector, report: Report, asked: _Asked
) -> None:
    """Run over a topic; SIGTERM and Ctrl-C finish the current batch and commit it."""
    from detection.topic.driver import TopicDriver

    connection = take_connection(values, "detection")
    settings = TopicSettings(
        connection=connection,
        topic=values["topic"],
        group=values["group"],
        alerts=None if values["alerts_topic"] == "-" else values["alerts_topic"],
        start_from=values["start_from"],
        bounded=values["bounded"],
    )
    driver = TopicDriver(settings, detector, report.take, _warn)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: driver.stop())
    try:
        driver.run(asked.new_rules)
    finally:
        report.end(detector, 0)


def _warn(text: str) -> None:
    click.secho(f"win-event-detect: {text}", fg="yellow", err=True)


def _fail(error: Exception) -> NoReturn:
    told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
    click.secho(f"win-event-detect: {told}", fg="red", err=True)
    sys.exit(1)


def _report(output: str | None, lowest: str) -> Report:
    if (output or ("pretty" if sys.stdout.isatty() else "json")) == "json":
        return JsonReport(lowest)
    from detection.running.pretty_report import PrettyReport

    return PrettyReport(lowest)


class _Asked:
    """New rules after SIGHUP or a change of files. A set with a new mistake is refused as a whole."""

    def __init__(self, rules: RuleSource, loaded: RuleSet, report: Report, watch: bool) -> None:
        self._rules, self._report, self._watch = rules, report, watch
        self._wanted = False
        self._known = _mistakes(loaded)
        signal.signal(signal.SIGHUP, self._want)

    def _want(self, *_: object) -> None:
        self._wanted = True

    def new_rules(self) -> Any:
        if not self._wanted and not (self._watch and self._rules.changed()):
            return None
        self._wanted = False
        try:
            found = self._rules.load_some()
        except RulesError as error:
            self._report.say(f"the old rules stay: {error}")
            return None
        mistakes = [text for known, text in _mistakes(found).items() if known not in self._known]
        if mistakes:
            self._report.say("the old rules stay: " + "; ".join(mistakes[:3]))
            return None
        self._known = _mistakes(found)
        self._report.loaded(found)
        return found


def _mistakes(rules: RuleSet) -> dict[tuple[str, str, int], str]:
    """The refusals without their lines, because an old mistake may move; numbered if a file has one twice."""
    found: dict[tuple[str, str, int], str] = {}
    count = Counter[tuple[str, str]]()
    for each in rules.refusals:
        count[each.path, each.reason] += 1
        found[each.path, each.reason, count[each.path, each.reason]] = str(each)
    return found


@main.command("test")
@click.argument("paths", nargs=-1, type=_PATH, metavar="[DIR|FILE]...")
@options(RULE_OPTIONS[1:])
def test(paths: tuple[Path, ...], pipeline: tuple[Path, ...]) -> None:
    """Check rules, and run their examples; exit 1 if one fails or a rule is refused."""
    try:
        rules = RuleSource(paths, pipeline).load()
    except RulesError as error:
        _fail(error)
    results = list(run_examples(rules))
    failed = [each for each in results if not each.passed]
    for refusal in rules.refusals:
        click.secho(f"refused: {refusal}", fg="red")
    for each in failed:
        wanted = "must match" if each.must_match else "must not match"
        why = each.problem or ("it does not" if each.must_match else "it does")
        place = f"{each.head.path}:{each.head.line}: {each.head.title}"
        what = f"example {each.number} {wanted}" if each.number else "examples"
        click.secho(f"failed: {place}: {what}: {why}", fg="red")
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
    """Show the loaded rules, with their events and fields, and say which can never match here."""
    try:
        rules = RuleSource(paths, pipeline).load()
    except RulesError as error:
        _fail(error)
    from detection.running.advice import notes
    from detection.running.view import page, rules_table

    page().print(rules_table(rules, notes(rules)))
    for refusal in rules.refusals:
        click.secho(f"refused: {refusal}", fg="yellow", err=True)


@main.command("score")
@click.argument("files", nargs=-1, type=_FILE, metavar="[FILE|-]...")
@options(RULE_OPTIONS, LATENESS_OPTIONS)
@click.option(
    "--alerts", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE",
    help="File with alerts as JSON lines; the delays are then those of that run.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per rule and scenario.")
@click.option(
    "--fail-under", type=FiniteFloat(0, 1), default=0.0, show_default=True, metavar="SHARE",
    help="Exit with code 1 if a precision or a recall is lower.",
)  # fmt: skip
def score(files: tuple[Path, ...], **values: Any) -> None:
    """Measure the rules against events with labels (win-event-producer --labels).

    For each rule with scenarios, it prints the share of its alerts that are right, the share of the scenarios
    in the events that it found, and the seconds from the deciding event to the alert.

    \b
    Example:
      win-event-producer --stdout --rate max --count 100000 --labels --start-time 2026-01-05 \\
        --scenario brute-force@30 | win-event-detect score -
    """
    try:
        rules = RuleSource(values["rules"], values["pipeline"]).load_some()
        rows = _scores(rules, files, values)
    except (RulesError, OSError) as error:
        _fail(error)
    if values["as_json"]:
        for each in rows:
            click.echo(orjson.dumps(each.as_json()))
    else:
        from detection.running.view import page, score_table

        page().print(score_table(rows))
    figures = [share for each in rows for share in (each.precision, each.recall) if share is not None]
    sys.exit(1 if any(share < values["fail_under"] for share in figures) else 0)


def _scores(rules: RuleSet, files: tuple[Path, ...], values: dict[str, Any]) -> list[Score]:
    detector, labels = Detector(rules, values["max_lateness"]), Labels()
    blocks = LineBlocks([None if str(file) == "-" else file for file in files] or [None])
    last: dict[str, Alert] = {}
    decided: dict[str, int] = {}
    for name in blocks.names:
        detector.clock.expect(name)

    def take(alert: Alert) -> None:
        last[alert.id] = alert
        decided.setdefault(alert.id, alert.met)

    def labelled() -> Iterator[tuple[str, bytes | None]]:
        for name, block in blocks:
            labels.read(block or b"")
            yield name, block

    run(detector, labelled(), take)
    alerts = [each for each in last.values() if each.merged_into is None]
    found = detected_at(values["alerts"].read_bytes()) if values["alerts"] else {}
    delays = {key: (found[key] - decided[key]) / TICKS for key in last if key in found}
    return [each for each in scores(rules, alerts, labels, delays) if each.played or each.alerts]


read_environment(main, "WIN_EVENT_DETECT")

if __name__ == "__main__":
    main()
