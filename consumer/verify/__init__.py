"""win-event-verify: reads a topic or a file and says what was lost, doubled, reordered or damaged."""
