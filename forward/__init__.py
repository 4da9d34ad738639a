"""Forwards a Kafka topic to an Amazon Kinesis stream: at least once, in the order of every key.

`cli.py` takes the options; `records.py` and `window.py` are pure; `topic.py` reads Kafka, `stream.py` writes
Kinesis, `forwarder.py` runs both until it is stopped.
"""
