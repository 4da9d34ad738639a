"""The cost of a question in Flink SQL, beside plain Python over the same topic with the same answer."""
