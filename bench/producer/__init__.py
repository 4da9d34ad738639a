"""What the producer costs: making events, keeping a rate, serving many clients."""
