"""Combines hits in event time: exact sliding windows for each group, as values with explicit state.

All is pure: times are parameters, in ticks of 100 ns since 1970, and a window has plain lists, so that Flink
can store it in a checkpoint. Callers use `correlator`.
"""
