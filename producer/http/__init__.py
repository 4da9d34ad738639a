"""The HTTP side of the producer: intake of posted events, control of generation, health, metrics.

app.py puts the routes together, guard.py decides who may ask, server.py listens in a thread of its own.
"""
