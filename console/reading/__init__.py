"""Asks Kafka, Flink and the producer, each in a thread of its own: what is away holds up nobody else."""
