"""The cost of the bridge, compared with raw pass-through and with hand-written programs."""
