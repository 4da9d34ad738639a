"""The demonstration: a whole pipeline, started only with the public commands."""
