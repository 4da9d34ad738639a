"""The cost of the readers: win-event-tail and win-event-verify."""
