"""Detection over Kafka in one process: events out of a topic, alerts into another, at least once.

`driver` is the entrance. A start reads back what the windows need before the committed positions, tells
nothing of it, and goes on. `settings` needs no Kafka client, which takes a while to import.
"""
