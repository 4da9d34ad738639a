"""Reads Kafka, Flink and the producer, each in a separate thread, so that none delays another."""
