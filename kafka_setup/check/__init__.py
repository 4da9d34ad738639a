"""Tests a set-up: logs in as every user, tries every operation, compares with what the topology allows.

expectations is pure; probes sends the requests; check brings both together for the command line.
"""
