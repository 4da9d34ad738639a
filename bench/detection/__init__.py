"""The cost of detection: over a file by the number of rules, over Kafka, an alert's delay, the memory."""
