"""A real Kafka broker on this machine: processes, certificates, topics and users."""
