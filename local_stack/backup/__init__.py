"""Exports a topic to files and imports it again: `win-event-stack export` and `import`.

`format.py` has the format of a line (docs/OPERATIONS.md describes it for people), `backup.py` writes and
checks the folder, `export.py` and `restore.py` use Kafka.
"""
