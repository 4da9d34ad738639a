"""Users of the broker whose passwords have characters with a meaning for some parser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from running import RunningStack

from kafka_setup.changes.apply import ApplySettings, apply
from kafka_setup.connection.settings import Secret
from kafka_setup.topology.resources import Topology
from local_stack.broker import kafka_objects
from local_stack.broker.stack_passwords import SUPER_USER

ODD_PASSWORDS = {  # and how the file ends
    "backslash": ("Win\\Temp9", "\n"),
    "everything": ('q"u\\o=t,e; ü${env:HOME}\\', "\r\n\n"),
}


def make_user(
    stack: RunningStack, topology: Topology, like: str, name: str, kind: str, folder: Path
) -> dict[str, str]:
    """Create a user with this odd password and the permissions of `like`; returns its login variables."""
    password, end = ODD_PASSWORDS[kind]
    model = topology.user(like)
    acls = tuple(replace(acl, principal=f"User:{name}") for acl in model.acls)
    odd = Topology((), (replace(model, name=name, acls=acls),))
    login = kafka_objects.connection(stack.stack, SUPER_USER)
    rows = apply(ApplySettings(odd, login, {name: Secret(password)}))
    assert not [row for row in rows if row.failed], rows
    file = folder / "password"
    file.write_bytes((password + end).encode())
    return {"KAFKA_USERNAME": name, "KAFKA_PASSWORD_FILE": str(file)}
