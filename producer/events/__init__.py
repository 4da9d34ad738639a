"""The events: catalogue, stories, generator, shapes. The same settings always give the same bytes.

Catalogue, stories and hosts become lines here. Nothing in this folder opens a socket or knows a client.
"""
