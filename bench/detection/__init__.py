"""win-event-detect over a file, by the number of rules, beside plain Python without an index, and rsigma."""
