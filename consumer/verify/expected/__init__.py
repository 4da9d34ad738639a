"""What should be there: runs of the producer, from its ledgers or from its seed."""
