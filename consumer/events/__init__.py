"""One event of any shape, as a reader gets it: identity, time, fields; and sets of ids."""
