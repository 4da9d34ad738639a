"""Proves a set-up by logging in as every user and trying what must work and what must be refused."""
