"""The live page and the read API over the whole pipeline: `win-event-console`.

cli → settings; reading/ reads Kafka, Flink and the producer in threads; state/ stores a bounded part of it;
web/ answers requests from there; page/ has the files for the browser. Nothing here writes to Kafka.
"""
