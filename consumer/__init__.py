"""Two readers: win-event-tail (tail/) prints a producer's events, win-event-verify (verify/) audits them.

Both read a producer's log with log_client/ and look into events with events/.
"""
