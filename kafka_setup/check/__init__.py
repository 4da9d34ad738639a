"""Proof of a set-up: log in as every user, try every operation, compare with what the topology allows.

expectations is pure; probes sends the requests; check brings both together for the command line.
"""
