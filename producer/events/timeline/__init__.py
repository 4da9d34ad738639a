"""What happens when, where and to whom: stories start on computers, and their events take turns.

Called by the generator, which gives the lines their last values; the producer's log paces itself by the same
rate over time.
"""
