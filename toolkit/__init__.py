"""What several tools need in the same form, below all of them.

For a command line: options, extras (how to add a missing package), terminal_text, waiting. For a server:
problems (problem+json), request_headers. For a client: http, flink_rest, addresses. And atomic_file,
yaml_lines, ranks (percentiles).
"""
