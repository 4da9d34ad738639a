"""The HTTP side of the producer: health, metrics, intake of a caller's own events."""
