"""win-event-tail: follows endpoints and prints events."""
