"""What a question costs in Flink SQL, beside plain Python over the same topic with the same answer."""
