"""A Valkey or Redis server that stores the answers of the read API, for a console that restarts.

settings → server (its requests, with time limits) → cache (when it is read and written); snapshot is the
stored form. No request of a user waits for the server: a separate thread reads and writes.
"""
