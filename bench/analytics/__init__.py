"""The cost of a question in Flink SQL, beside plain Python and Bytewax, which give the same answer."""
