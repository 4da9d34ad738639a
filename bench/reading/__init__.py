"""What the readers cost: win-event-tail and win-event-verify."""
