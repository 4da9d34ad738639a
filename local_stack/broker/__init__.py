"""A real Kafka broker (or several) on this machine: processes, certificates, passwords, topics and users.

Called by local_stack/stack.py, and by whatever needs a login at that broker.
"""
