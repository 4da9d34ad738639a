"""Questions in Flink SQL over the topic of events: queries/ holds a file a question, job.py runs them.

Nobody calls in here; it builds on the bridge's environment and on its connection to Kafka.
"""
