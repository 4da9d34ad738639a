"""The live page and the read API over the whole pipeline: `win-event-console`.

cli → settings; reading/ asks Kafka, Flink and the producer in threads; state/ keeps what they found, bounded;
web/ answers requests from it; page/ is what a browser gets, as it is. Nothing here writes to Kafka.
"""
