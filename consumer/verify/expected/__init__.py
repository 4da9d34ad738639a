"""The expected events: runs of the producer, from its ledgers or from its seed."""
