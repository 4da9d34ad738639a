"""A network namespace with one cable to this machine, which can be pulled: packets then really get lost."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
from collections.abc import Sequence

_numbers = itertools.count(1)


class Namespace:
    """Needs root. `address` is that of the programs inside; `prefix` before a command runs it inside.

    Each process has its own networks, so those of a killed process do no harm.
    """

    def __init__(self) -> None:
        number = next(_numbers)
        self._name = f"wef-{os.getpid()}-{number}"
        self._cable = f"wef{os.getpid() % 100000}n{number}"
        host, self.address = _free_network(number)
        ip("netns", "add", self._name)
        ip("link", "add", self._cable, "type", "veth", "peer", "name", "inside", "netns", self._name)
        ip("address", "add", f"{host}/30", "dev", self._cable)
        ip("link", "set", self._cable, "up")
        for command in (
            ("address", "add", f"{self.address}/30", "dev", "inside"),
            ("link", "set", "inside", "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", self._name, *command)

    def __enter__(self) -> Namespace:
        return self

    def __exit__(self, *_error: object) -> None:
        self.remove()

    @property
    def prefix(self) -> Sequence[str]:
        return ("ip", "netns", "exec", self._name)

    def pull(self) -> None:
        """From now on nothing arrives in either direction, and no side is notified."""
        ip("-n", self._name, "link", "set", "inside", "down")

    def plug_in(self) -> None:
        ip("-n", self._name, "link", "set", "inside", "up")

    def answers(self, port: int, seconds: float = 60) -> bool:
        """Whether a server inside accepts a connection within `seconds`."""
        with socket.socket() as probe:
            probe.settimeout(seconds)
            return probe.connect_ex((self.address, port)) == 0

    def remove(self) -> None:
        ip("netns", "delete", self._name)


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def _free_network(number: int) -> tuple[str, str]:
    """The two addresses of a /30 in 10.231.0.0/16 that no cable of this machine has."""
    taken = ip("-4", "-oneline", "address", "show")
    first = (os.getpid() * 8 + number) % 2**14
    for place in (*range(first, 2**14), *range(first)):
        host = f"10.231.{place // 64}.{place % 64 * 4 + 1}"
        if f" {host}/30 " not in taken:
            return host, f"10.231.{place // 64}.{place % 64 * 4 + 2}"
    raise OSError("every network of 10.231.0.0/16 is taken")


def why_not() -> str:
    """What is missing for a namespace on this machine."""
    if os.geteuid() != 0:
        return "only root may make a network namespace"
    try:
        Namespace().remove()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespace can be made here: {error}"
    return ""
