"""Errors whose cause is outside this program; the text is for the person at the terminal."""

from __future__ import annotations


class AuditError(Exception):
    """The audit could not be carried out (this is not the same as an audit that found something)."""
