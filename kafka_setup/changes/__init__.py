"""Applies a topology to a cluster: read the state, plan the changes, apply them, or remove everything.

change, plan*, obstacles and setting_values are pure; state reads the cluster; admin_requests, apply, rotate
and teardown change it. Called by the command line, by `check` and by the local stack.
"""
