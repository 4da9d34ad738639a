"""The cost of the producer: making events, keeping a rate, serving many clients, taking posted events."""
