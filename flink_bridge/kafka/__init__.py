"""How the job reaches Kafka: settings without secrets, the sink, and what is tried before submission."""
