"""The inventory, by change data capture: PostgreSQL, and Kafka Connect with Debezium, which reads its
changes.

Started by local_stack/stack.py for `up --cdc`; `win-event-stack cdc` sets up, compares and resets.
"""
