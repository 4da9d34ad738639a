"""The Kafka connection of the whole toolkit: settings, passwords, and sessions that explain a refusal.

Every tool that connects to Kafka takes its options and its login from here.
"""
