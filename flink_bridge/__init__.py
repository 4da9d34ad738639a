"""The bridge: a PyFlink job that carries lines from TCP into Kafka. job.py is where to begin."""
