"""Exports a topic to files and imports it again: `win-event-stack export` and `import`.

`format.py` says what a line of the files is (docs/OPERATIONS.md describes it for people), `backup.py` writes
and checks the folder, `export.py` and `restore.py` talk to Kafka.
"""
