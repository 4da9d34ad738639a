"""From rule files to hits: pySigma reads the rules, a Matcher finds those that an event matches.

Rules become Python functions, one for each channel and event id that occurs. Nothing here uses Kafka or
Flink, and only `rule_files` reads files.
"""
