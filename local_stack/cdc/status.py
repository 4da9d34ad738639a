"""The state of the inventory and its topics: every row compared, the connector, and its lag."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from local_stack.cdc import connector, database
from local_stack.cdc.comparison import Comparison, compare
from local_stack.health import peek
from local_stack.layout import Stack

_ALL = 10**9  # records
_PAUSE = 0.5  # seconds between two checks


@dataclass(frozen=True)
class Standing:
    """The state of the inventory.

    `connector`: its state from Kafka Connect; "" if there is none. `slot_active`: whether it reads now.
    `slot_lag`: bytes of the database's log that it has not confirmed; None without a slot.
    """

    connector: str
    trace: str
    slot_active: bool
    slot_lag: int | None
    tables: Sequence[Comparison]

    @property
    def good(self) -> bool:
        return self.connector == "RUNNING" and self.slot_active and all(each.equal for each in self.tables)


def standing(stack: Stack) -> Standing:
    """The current state. Raises StartError if database, Kafka or Connect does not answer."""
    state = connector.state(stack)
    active, lag = database.slot(stack)
    says = "" if state is None else state.connector if state.running else state.task or state.connector
    return Standing(
        says, state.trace if state else "", active, lag, [compared(stack, table) for table in database.TABLES]
    )


def settled(stack: Stack, seconds: float) -> Standing:
    """The state when all rows agree, or after `seconds`, because changes may be on their way."""
    deadline = time.monotonic() + seconds
    while not (found := standing(stack)).good and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return found


def compared(stack: Stack, table: str) -> Comparison:
    rows = database.rows(stack, table)
    records = sorted(peek.newest(stack, f"inventory.{table}", _ALL), key=lambda record: record.offset)
    return compare(table, rows, [(record.key, record.value) for record in records])
