"""`make load`: the promised load on a real stack, and a verdict for each promise."""
