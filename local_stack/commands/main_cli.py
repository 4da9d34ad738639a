"""win-event-stack: a real broker and a real Flink cluster on this machine, without Docker."""

from __future__ import annotations

import subprocess
import sys

import click
from rich.console import Console

from local_stack import processes, stack, tools
from local_stack.backup.cli import export, restore
from local_stack.cdc.cli import cdc
from local_stack.cluster import sql_gateway
from local_stack.commands.demo_cli import demo
from local_stack.commands.peek_cli import peek
from local_stack.commands.status_cli import show_status
from local_stack.commands.submit_cli import submit
from local_stack.commands.up_cli import up
from local_stack.health import doctor as examinations
from local_stack.health.doctor_flink import endpoints
from local_stack.reset.cli import reset
from local_stack.terminal import TerminalTalk, current_stack, errors_told


class _Commands(click.Group):
    """Its help shows the whole first sentence about each command, and the variable of each option."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        cmd.short_help = " ".join((cmd.help or "").split("\n\n")[0].split())
        for option in cmd.params:
            if isinstance(option, click.Option):
                option.show_envvar = True
        super().add_command(cmd, name)


@click.group(
    cls=_Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "auto_envvar_prefix": "WIN_EVENT_STACK",
    },
)
@click.version_option(package_name="win-event-bridge")
def main() -> None:
    """A real Kafka broker (SASL/SCRAM, ACLs) and a real Flink cluster on this machine.

    No Docker, no Java and no root needed. Everything stays under .stack/ and listens on loopback only.

    \b
    Examples:
      win-event-stack up
      . <(win-event-stack env)
      win-event-stack down
    """


@main.command()
@click.option("--wipe", is_flag=True, help="Also forget topics, checkpoints, passwords and logs.")
def down(wipe: bool) -> None:
    """Stop exactly what `up` started.

    \b
    Example:
      win-event-stack down --wipe
    """
    stopped = stack.down(current_stack(), wipe)
    for name in stopped:
        click.echo(f"stopped {name}", err=True)
    if not stopped:
        click.echo("nothing was running", err=True)


@main.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come.")
@click.option("-n", "--lines", default=50, show_default=True, help="How many of the last lines.")
def logs(name: str, follow: bool, lines: int) -> None:
    """Show the log of NAME: kafka-1, jobmanager, taskmanager-1, …

    \b
    Example:
      win-event-stack logs -f taskmanager-1
    """
    folder = current_stack().logs
    log = folder / f"{name}.log"
    if not log.exists():
        names = ", ".join(sorted(file.stem for file in folder.glob("*.log"))) or "none yet"
        raise click.UsageError(f"there is no log {name!r}. There are: {names}")
    try:
        sys.exit(subprocess.call(["tail", "-n", str(lines), *(["-f"] if follow else []), str(log)]))
    except KeyboardInterrupt:
        sys.exit(130)


@main.command()
@click.option("--as", "user", metavar="USER", help="Log every tool in as USER, whatever it does.")
def env(user: str | None) -> None:
    """Print shell exports: where this stack is, flink and Kafka's tools.

    Without --as each tool takes the user that is made for it: the jobs bridge, analytics and detection,
    win-event-verify reader, win-event-kafka-setup admin, the console and the metrics observer.

    \b
    Examples:
      . <(win-event-stack env)
      eval "$(win-event-stack env --as reader)"
    """
    current = current_stack()
    with errors_told(TerminalTalk()):
        if not current.file.exists():
            raise processes.no_stack(current)
        click.echo(tools.render_exports(current, user), nl=False)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("client_options", nargs=-1, type=click.UNPROCESSED)
def sql(client_options: tuple[str, ...]) -> None:
    """Open Flink's SQL client; events, rejected and every result are declared, as the user analytics.

    \b
    Examples:
      win-event-stack sql
      win-event-stack sql -f questions.sql
    """
    with errors_told(TerminalTalk()):
        sys.exit(sql_gateway.client(current_stack(), client_options))


@main.command()
@click.option("--hostname", default="", metavar="HOST:PORT,…", help="Also examine where lines come from.")
def doctor(hostname: str) -> None:
    """Examine Java, Python, ports, disk, logins, topics and clocks; say what to do about each problem.

    \b
    Examples:
      win-event-stack doctor
      win-event-stack doctor --hostname 127.0.0.1:9999
    """
    findings = examinations.examine(current_stack(), endpoints(hostname))
    screen = Console(highlight=False)
    for finding in findings:
        mark = "[green]ok[/]      " if finding.ok else "[red]problem[/] "
        screen.print(f"{mark} {finding.what}", soft_wrap=True)
        if not finding.ok:
            screen.print(f"         → {finding.remedy}", soft_wrap=True)
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


main.add_command(cdc)
main.add_command(demo)
main.add_command(export)
main.add_command(peek)
main.add_command(reset)
main.add_command(restore)
main.add_command(show_status)
main.add_command(submit)
main.add_command(up)
