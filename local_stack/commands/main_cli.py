"""win-event-stack: a real broker and a real Flink cluster on this machine, without Docker."""

from __future__ import annotations

import subprocess
import sys

import click
from rich.console import Console
from rich.text import Text

from local_stack import processes, shell_environment, stack
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
from local_stack.terminal import TerminalReporter, current_stack, errors_told
from toolkit.options import is_consent


class _Commands(click.Group):
    """Its help shows the whole first sentence about each command, and the variable of each option."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        _explain(cmd)
        super().add_command(cmd, name)


def _explain(command: click.Command) -> None:
    """Explain the commands of a group in the same way."""
    command.short_help = " ".join((command.help or "").split("\n\n")[0].split())
    for option in command.params:
        if isinstance(option, click.Option):
            option.allow_from_autoenv = option.show_envvar = not is_consent(option)
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        _explain(each)


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

    You need no Docker, no Java and no root rights. Everything listens on loopback only, and stays in one
    folder: WIN_EVENT_STACK_DIR, else .stack in the project, else the user's folder for state.

    \b
    Examples:
      win-event-stack up
      . <(win-event-stack env)
      win-event-stack down
    """


@main.command()
@click.option("--wipe", is_flag=True, help="Also delete topics, checkpoints, passwords and logs.")
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
@click.option("-f", "--follow", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@click.option("-n", "--lines", default=50, show_default=True, help="How many lines from the end.")
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
@click.option(
    "--as", "user", metavar="USER", envvar="WIN_EVENT_STACK_ENV_USER", help="Log every tool in as this user."
)
def env(user: str | None) -> None:
    """Print shell exports: the addresses of this stack, and flink and Kafka's tools on the PATH.

    Without --as each tool logs in as its own user: the jobs as bridge, analytics and detection,
    win-event-verify as reader, win-event-kafka-setup as admin, the console and the metrics as observer.

    \b
    Examples:
      . <(win-event-stack env)
      eval "$(win-event-stack env --as reader)"
    """
    current = current_stack()
    with errors_told(TerminalReporter()):
        if not current.file.exists():
            raise processes.no_stack(current)
        click.echo(shell_environment.render_exports(current, user), nl=False)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("client_options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF FLINK'S CLIENT]…")
def sql(client_options: tuple[str, ...]) -> None:
    """Open Flink's SQL client as the user analytics; the tables of all topics are already declared.

    It needs the SQL Gateway: win-event-stack up --sql.

    \b
    Examples:
      win-event-stack sql
      win-event-stack sql -f questions.sql
      win-event-stack sql -- --help
    """
    with errors_told(TerminalReporter()):
        sys.exit(sql_gateway.client(current_stack(), client_options))


@main.command()
@click.option("--hostname", default="", metavar="HOST:PORT,…", help="Also check these senders of lines.")
def doctor(hostname: str) -> None:
    """Check Java, Python, ports, disk, logins, topics and clocks; say what to do about each problem.

    \b
    Examples:
      win-event-stack doctor
      win-event-stack doctor --hostname 127.0.0.1:9999
    """
    reporter = TerminalReporter()
    reporter.doing("waiting for the answers of Kafka and Flink")
    results = examinations.examine(current_stack(), endpoints(hostname))
    reporter.pause()
    screen = Console(highlight=False)
    for result in results:
        mark = ("ok      ", "green") if result.ok else ("problem ", "red")
        screen.print(Text.assemble(mark, f" {result.what}"), soft_wrap=True)
        if not result.ok:
            screen.print(Text(f"         → {result.remedy}"), soft_wrap=True)
    sys.exit(0 if all(result.ok for result in results) else 1)


main.add_command(cdc)
main.add_command(demo)
main.add_command(export)
main.add_command(peek)
main.add_command(reset)
main.add_command(restore)
main.add_command(show_status)
main.add_command(submit)
main.add_command(up)
