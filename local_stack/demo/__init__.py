"""The demonstrations: a whole pipeline through the public commands only."""
