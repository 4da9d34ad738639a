"""The comparison itself, without I/O: it takes records and returns a verdict."""
