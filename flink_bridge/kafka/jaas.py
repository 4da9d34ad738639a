"""Text of a JAAS login entry (`sasl.jaas.config`), quoted so that any user name stays one value."""

from __future__ import annotations


class JaasError(ValueError):
    """A value that a JAAS entry cannot carry; the text says why and what to do."""


def quote(value: str) -> str:
    """VALUE as a quoted JAAS string.

    Kafka reads the entry with java.io.StreamTokenizer: in double quotes a backslash starts an escape
    and a raw line break ends the string.
    """
    if any(character in value for character in "\r\n"):
        raise JaasError("a JAAS value cannot hold a line break")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def check_inserted_verbatim(secret: str, origin: str) -> None:
    """A config provider puts a secret between the quotes as it is, so it must already be fit for that."""
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
