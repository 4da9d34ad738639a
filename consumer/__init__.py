"""Readers of the producer and of what became of it: win-event-tail (tail/) and win-event-verify (verify/)."""
