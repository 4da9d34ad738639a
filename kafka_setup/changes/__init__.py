"""From a topology to a cluster: read what is there, plan the difference, apply it, take it away."""
