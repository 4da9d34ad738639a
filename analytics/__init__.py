"""Questions in Flink SQL about the topic of events: queries/ has one file per question, job.py runs them.

No other folder uses it; it uses the bridge's environment and its connection to Kafka.
"""
