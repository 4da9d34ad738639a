"""win-event-stack: a real broker and a real Flink cluster on this machine, without Docker.

stack starts and stops the parts: broker/, cluster/ (Flink), cdc/ (a database and Kafka Connect), cache,
console, observe (Prometheus). layout has their folders and ports, processes and watchdog keep them running,
jars/ downloads what they need. commands/ is the command line; demo/, health/, backup/ and reset/ are what its
subcommands do.
"""
