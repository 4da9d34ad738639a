"""win-event-stack submit: give the bridge, analytics or detection to the cluster."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import click
from rich.markup import escape

from local_stack.cluster import flink_run, submission
from local_stack.cluster.checkpoints import Start
from local_stack.layout import Stack
from local_stack.processes import StartError
from local_stack.terminal import TerminalReporter, current_stack, errors_told

_NAMED = f"{__name__}.named"  # the program whose options the help shows


class _SubmitCommand(click.Command):
    """Its help ends with the help of the program that is named, so that nothing is written down twice."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_NAMED] = next((word for word in args if word in submission.installed()), "bridge")
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        titles = [line.split(": ", 1) for line in _said_by("analytics").splitlines() if line[:1] != " "]
        with formatter.section("Questions of analytics"):
            formatter.write_dl([(name, title) for name, title in titles])
        named = ctx.meta.get(_NAMED, "bridge")
        with formatter.section(f"Options of {'the bridge' if named == 'bridge' else named}"):
            formatter.write_dl(_options(_said_by(named, "--help")))
        for user in submission.installed():
            formatter.write(f"\nVariables, defaults and more: python {submission.job_file(user)} --help")
        formatter.write("\n")


def _said_by(user: str, *options: str) -> str:
    command = [sys.executable, str(submission.job_file(user)), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _options(text: str) -> list[tuple[str, str]]:
    """Each option in a help text, with the first sentence of its description."""
    found = []
    for block in re.split(r"\n(?=  -)", text)[1:]:
        name, _, about = block.strip().partition("  ")
        sentence = re.split(r"\.(?:\s|$)|\[env var", " ".join(about.split()))[0].strip()
        found.append((name.split("\n")[0], sentence))
    return [(name, sentence) for name, sentence in found if name not in ("-h, --help", "--describe")]


@click.command(
    cls=_SubmitCommand,
    context_settings={
        "ignore_unknown_options": True,
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
    options_metavar="[--from-checkpoint] [--yes]",
)
@click.option(
    "--from-checkpoint",
    is_flag=True,
    help="Continue from the newest checkpoint or savepoint of a job of this name; show which state is kept.",
)
@click.option("--yes", is_flag=True, help="Submit the job even if a job of this name is running.")
@click.argument(
    "job_options",
    nargs=-1,
    type=click.UNPROCESSED,
    metavar="[bridge|analytics QUESTION,…|detection] [OPTIONS]…",
)
def submit(from_checkpoint: bool, yes: bool, job_options: tuple[str, ...]) -> None:
    """Submit the bridge, or questions of analytics, or detection, to the cluster.

    The bridge reads lines from --hostname and --port and logs in to Kafka as the user bridge. Analytics and
    detection log in as their own users. You can give every option of the job, or set its variable. `submit
    analytics --help` and `submit detection --help` show the options of these two.

    \b
    Examples:
      win-event-stack submit --hostname 127.0.0.1 --port 9999
      win-event-stack submit --from-checkpoint --port 9999
      win-event-stack submit analytics level_windows,brute_force
      win-event-stack submit detection
    """
    reporter, current = TerminalReporter(), current_stack()
    with errors_told(reporter):
        try:
            wanted = submission.program(job_options)
            job = submission.describe(current, wanted)
        except submission.UsageError as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        submission.check_listener(job)
        _not_twice(job.name, submission.running(current, job.name), yes)
        start = submission.from_newest(current, job) if from_checkpoint else Start()
        for remark in start.remarks:
            reporter.line(escape(remark))
        submit_and_tell(current, wanted, start, reporter)


def _not_twice(name: str, ids: list[str], yes: bool) -> None:
    """Ask before a job is submitted twice: every event would arrive twice. Raises StartError."""
    if not ids or yes:
        return
    what = f"{name!r} is running already as {', '.join(ids)}"
    if not sys.stdin.isatty():
        raise StartError(f"{what}. To run it a second time: --yes; or give another --job-name")
    click.confirm(f"{what}. Run it a second time?", abort=True, err=True)


def submit_and_tell(
    stack: Stack, wanted: submission.Program, start: Start, reporter: TerminalReporter
) -> str:
    """Submit the job, show the steps and then the address of the job; returns its id. Raises StartError."""
    began, found = time.monotonic(), ""
    reporter.doing("starting Flink's client: a JVM, and Python, which builds the job and checks Kafka")
    for line in submission.submit(stack, wanted, start.options):
        identity = flink_run.job_id(line)
        reporter.pause()
        click.echo(line, err=identity is None)
        found = identity or found
        reporter.doing("sending the job to the cluster")
    reporter.done(f"submitted in {time.monotonic() - began:.0f} s: {stack.flink_url}/#/job/{found}")
    return found
