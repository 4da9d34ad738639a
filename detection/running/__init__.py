"""The driver in one process: reads lines, reports alerts, and reloads changed rules."""
