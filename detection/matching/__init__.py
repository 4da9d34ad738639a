"""From rule files to hits: pySigma reads the rules, a Matcher says which of them an event matches.

Rules become Python functions, one for each channel and event id that comes along. Nothing here knows of Kafka
or of Flink, and only `rule_files` reads a file.
"""
