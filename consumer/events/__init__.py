"""One event of any shape: its identity, time and fields; and sets of ids."""
