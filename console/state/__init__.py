"""The data that the console keeps in memory, bounded and safe to read at any time. No I/O, no clock."""
