"""A real Flink session cluster on this machine, and requests to its REST API."""
