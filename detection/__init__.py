"""Sigma rules and correlations over Windows events: which events match, and which of them belong together.

`matching` finds the rules that an event matches, `correlation` combines these hits in event time; both are
pure. `cli.py` runs them over files, pipes and a topic in one process, `job.py` as a Flink job.
"""
