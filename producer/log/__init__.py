"""The append-only log of lines: in memory or on disk, with its recovery and its ledger.

Offsets are given here. Clients only hold cursors, which live in producer/serving.
"""
