"""win-event-producer: generates Windows events (events/), keeps them in one log (log/) and serves them.

serving/ speaks TCP, http/ HTTP; cli.py turns options into settings, producer.py puts the pieces together.
"""
