"""The comparison itself, as pure values: records in, verdict out."""
