"""The Flink driver: the matcher on blocks of lines, correlations in keyed state, alerts to Kafka.

`matching` and `correlating` run in Flink's Python workers, `graph` in the submitting process.
"""
