"""Sigma rules and correlations over Windows events: which events match, and which of them belong together.

`matching` tells which rules an event hits, `correlation` what hits add up to in event time; both are pure.
`cli.py` runs them over files, pipes and a topic in one process, `job.py` as a Flink job.
"""
