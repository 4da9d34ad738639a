"""The Flink driver: the matcher on blocks of lines, correlations in keyed state, alerts to Kafka.

`matching` and `correlating` run in Python on the TaskManagers, `graph` in the submitting process.
"""
