"""A real Flink session cluster on this machine, and the questions asked of its REST API."""
