"""Detection over Kafka in one process: from a topic of events to a topic of alerts, at least once.

Callers use `driver`. At its start, it reads again the events that the windows need, without reporting them,
and continues from the committed positions. `settings` does not import the Kafka client, which is slow.
"""
