"""What is said: the events themselves. The same settings give the same bytes, whoever asks.

Catalogue, stories and hosts become lines here. Nothing in this folder opens a socket or knows a client.
"""
