"""Resets one part of the stack and leaves the others unchanged: `win-event-stack reset PART`."""
