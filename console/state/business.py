"""Counts for a security team: logons, failures, the accounts with most failures, alerts by rule. Bounded."""

from __future__ import annotations

from collections import Counter, deque
from itertools import islice
from threading import Lock

OUTCOMES = {"4624": "success", "4625": "failure"}  # event ids of the channel Security
WINDOW = 300  # seconds
TOP = 10
OTHERS = "(others)"
_SLOT = 10  # seconds; the window moves by this much
_NAMES = 2_000  # accounts in one slot, and rules


class Business:
    """Counts since the start; `top_failures` is about the last WINDOW seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._logons = dict.fromkeys(OUTCOMES.values(), 0)
        self._alerts: Counter[str] = Counter()
        self._slots: deque[tuple[int, Counter[str]]] = deque(maxlen=WINDOW // _SLOT)

    def logon(self, now: float, outcome: str, account: str) -> None:
        with self._lock:
            self._logons[outcome] += 1
            if outcome == "failure":
                slot = int(now) // _SLOT
                if not self._slots or self._slots[-1][0] != slot:
                    self._slots.append((slot, Counter()))
                _count(self._slots[-1][1], account)

    def alert(self, rule: str) -> None:
        with self._lock:
            _count(self._alerts, rule)

    def logons(self) -> dict[str, int]:
        with self._lock:
            return dict(self._logons)

    def alerts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._alerts)

    def top_failures(self, now: float) -> dict[str, int]:
        """The TOP accounts with their failed logons, highest first."""
        oldest = (int(now) - WINDOW) // _SLOT
        with self._lock:
            total: Counter[str] = Counter()
            for slot, counted in self._slots:
                if slot > oldest:
                    total.update(counted)
        ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
        return dict(islice(ranked, TOP))


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < _NAMES else OTHERS] += 1
