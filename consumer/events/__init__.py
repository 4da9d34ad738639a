"""One event as a reader meets it, whatever its shape on the wire: identity, time, fields; and sets of ids."""
