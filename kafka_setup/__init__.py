"""win-event-kafka-setup: topics, users and permissions; and the Kafka connection that every tool uses."""
