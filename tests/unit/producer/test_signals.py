"""Signals reach the producer whatever its main thread is doing."""

from __future__ import annotations

import signal

from producer import cli
from producer.producer import Orders


def test_a_signal_inside_the_lock_of_an_event_is_no_deadlock() -> None:
    orders = Orders()
    with cli._signals(orders):
        with orders.enough._cond:
            signal.raise_signal(signal.SIGUSR1)
        assert orders.enough.wait(30)
        assert not orders.stop.is_set()


def test_the_first_stop_is_gentle_and_the_second_is_not() -> None:
    orders = Orders()
    with cli._signals(orders):
        signal.raise_signal(signal.SIGTERM)
        assert orders.stop.wait(30)
        assert orders.enough.wait(30)
        assert not orders.stop_now.is_set()
        signal.raise_signal(signal.SIGINT)
        assert orders.stop_now.wait(30)


def test_afterwards_signals_are_what_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with cli._signals(Orders()):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
