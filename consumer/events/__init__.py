"""One event as a reader meets it, whatever shape it has on the wire: its identity, its time, its fields."""
