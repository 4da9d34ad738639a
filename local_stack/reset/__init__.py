"""One part of the stack as it was when it was new, the others left alone: `win-event-stack reset PART`."""
