"""What hits add up to in event time: exact sliding windows for each group, as values with explicit state.

All is pure: times come in as ticks of 100 ns since 1970, and what a window holds is plain lists, so that
Flink can keep it in a checkpoint. `correlator` is the entrance.
"""
