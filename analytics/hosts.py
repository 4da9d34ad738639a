"""Roles and sites of computers: a small CSV file becomes two more fields of an event."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from analytics.fields import FIELDS
from analytics.question import QuestionError
from flink_bridge.kafka.sql_text import literal

FIELDS_OF_HOSTS = ("role", "site")
Hosts = Mapping[str, tuple[str, str]]


def read_hosts(file: Path) -> Hosts:
    """computer -> (role, site). If a computer is in two lines, the last one counts. Raises QuestionError."""
    found: dict[str, tuple[str, str]] = {}
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise QuestionError(f"--hosts {file}: {why} (columns computer,role,site)") from None
    for number, row in enumerate(rows, start=1):
        if not row or row[0].startswith("#"):
            continue
        if len(row) != 3:
            raise QuestionError(
                f"--hosts {file}, line {number}: expected computer,role,site, found {len(row)} column(s)"
            )
        found[row[0]] = (row[1], row[2])
    return found


def expressions(hosts: Hosts) -> dict[str, str]:
    """SQL for each of FIELDS_OF_HOSTS: a map of constants, which needs no waiting and no state."""
    return {name: _one_of(hosts, number) for number, name in enumerate(FIELDS_OF_HOSTS)}


def _one_of(hosts: Hosts, number: int) -> str:
    if not hosts:
        return "CAST(NULL AS STRING)"
    pairs = ", ".join(f"{literal(name)}, {literal(found[number])}" for name, found in hosts.items())
    # For a missing key, a map of constants that are never null returns an empty text.
    return f"NULLIF(MAP[{pairs}][{FIELDS['computer'].expression}], '')"
