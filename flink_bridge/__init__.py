"""The bridge: a PyFlink job that carries lines from TCP into Kafka. Start reading at job.py."""
