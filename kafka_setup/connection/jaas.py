"""Passwords inside a JAAS login entry (`sasl.jaas.config`), where some characters mean something."""

from __future__ import annotations

# Kafka reads the entry with java.io.StreamTokenizer: a backslash starts an escape, a double quote or a raw
# line break ends the string. The backslash comes first.
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}


def escape(value: str) -> str:
    """`value` as it has to stand between the double quotes of a JAAS entry to mean itself."""
    for character, escaped in _ESCAPES.items():
        value = value.replace(character, escaped)
    return value
