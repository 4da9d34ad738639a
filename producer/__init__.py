"""win-event-producer: keeps Windows events in one log (log/) and serves it.

They are generated (events/), read from a file (files/) or posted (http/, which also controls the producer).
serving/ speaks TCP. cli.py turns options into settings, opening.py makes the pieces, producer.py runs them.
"""
