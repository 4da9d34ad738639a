"""`make load`: the promised load on a real stack, and a verdict: which promise holds and which is broken."""
