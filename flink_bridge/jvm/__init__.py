"""Java text that Flink compiles where it runs, and its wiring: the hot path has no Python."""
