"""The jars of Kafka and Flink's connector, locked and verified, and the Java that runs them."""
