"""Decides what happens when, where and to whom: stories start on computers, and their events alternate.

The generator calls it and fills in the last values of the lines. The producer's log follows the same rate
over time.
"""
