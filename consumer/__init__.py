"""Two readers: win-event-tail (tail/) prints a producer's events, win-event-verify (verify/) audits them."""
