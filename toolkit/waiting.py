"""Tells a person who waits what is waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def after_silence(seconds: float, tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell`, in a thread of its own, if the block takes longer than this."""
    timer = threading.Timer(seconds, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
