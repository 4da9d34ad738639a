"""The tables that a question may name, as SQL text: events, rejected lines, the inventory, results. Pure."""
