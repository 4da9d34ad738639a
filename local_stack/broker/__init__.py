"""A real Kafka broker (or several) on this machine: processes, certificates, passwords, topics and users.

Called by local_stack/stack.py, and by all parts that need a login at that broker.
"""
