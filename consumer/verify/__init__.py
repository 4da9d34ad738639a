"""win-event-verify: reads a topic or a file and reports what was lost, duplicated, reordered or damaged."""
