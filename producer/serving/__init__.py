"""The TCP server: a thread and a cursor for each client, and the position where a client continues."""
