"""The Kafka connection of the whole toolkit: settings, passwords, and sessions that explain a refusal."""
