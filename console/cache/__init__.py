"""A Valkey or Redis server that remembers what the read API answers, for a console that starts again.

settings → server (every question to it, bounded in time) → cache (what is kept, and when); snapshot is the
form of what is kept. No request waits for the server: one thread reads and writes, so it only costs speed.
"""
