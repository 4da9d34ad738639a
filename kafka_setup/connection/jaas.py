"""A JAAS login entry (`sasl.jaas.config`), in which some characters have a special meaning."""

from __future__ import annotations

# Kafka reads the entry with java.io.StreamTokenizer: a backslash starts an escape, a double quote or a raw
# line break ends the string. The backslash comes first.
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}


class JaasError(ValueError):
    """A value that a JAAS entry cannot contain; the text says why and what to do."""


def escape(value: str) -> str:
    """`value`, escaped for use between the double quotes of a JAAS entry."""
    for character, escaped in _ESCAPES.items():
        value = value.replace(character, escaped)
    return value


def quote(value: str) -> str:
    return f'"{escape(value)}"'


def check_inserted_verbatim(secret: str, origin: str) -> None:
    """Refuse a secret that needs escaping: a config provider inserts it between the quotes unchanged."""
    if "\r" in secret or "\n" in secret:
        raise JaasError(
            f"{origin} holds a line break, which would become part of the password: write it with `printf %s`"
        )
    position = 0
    while position < len(secret):
        if secret[position] == '"':
            raise JaasError(f'{origin} holds a double quote that would end the login entry: write it as \\"')
        position += 2 if secret[position] == "\\" else 1
    if position > len(secret):
        raise JaasError(f"{origin} ends with a backslash that would escape the closing quote: double it")


def login_entry(login_module: str, options: dict[str, str]) -> str:
    """`MODULE required name="value" …;` from options whose values are already quoted."""
    words = [f"{login_module} required", *(f"{name}={value}" for name, value in options.items())]
    return " ".join(words) + ";"
