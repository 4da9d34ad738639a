"""win-event-stack: a real broker and a real Flink cluster on this machine, without Docker."""
