"""Reading a producer over TCP: connect, resume, cut into lines, reconnect. win-event-tail uses it."""
