"""Reading a producer over TCP: connect, resume, cut into lines, reconnect. win-event-tail stands on it."""
