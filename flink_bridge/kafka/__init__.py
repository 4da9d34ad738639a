"""The job's connection to Kafka: settings without secrets, the sink, and the checks before submission."""
