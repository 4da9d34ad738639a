"""What should be there: the producer's ledger, or its seed generated again."""
