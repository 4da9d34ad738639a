"""What is kept: the one append-only log of lines, on disk if wanted, its recovery and its ledger.

Offsets are given here. Clients only hold cursors, which live in producer/serving.
"""
