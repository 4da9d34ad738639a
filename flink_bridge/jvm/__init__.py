"""Java source that Flink compiles when the job is submitted, and the code that connects it."""
