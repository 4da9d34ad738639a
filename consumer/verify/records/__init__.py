"""Where the records of an audit come from: Kafka topics and files."""
