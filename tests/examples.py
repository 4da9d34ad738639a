"""How many examples hypothesis tries: a third for each change, all of them nightly (make test-nightly)."""

from __future__ import annotations

import os

ALL = bool(os.environ.get("WIN_EVENT_ALL_EXAMPLES"))  # `make test-nightly` sets it


def examples(count: int) -> int:
    return count if ALL else max(20, count // 3)
