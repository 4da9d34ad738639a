"""Asks Kafka, Flink and the producer, each in its own thread, so that one that is away delays no other."""
