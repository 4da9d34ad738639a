"""Where the records of an audit come from: Kafka topics, Kinesis streams and files."""
