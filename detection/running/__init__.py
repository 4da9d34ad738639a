"""The drivers of one process: where lines come from, where alerts go, and rules that change meanwhile."""
