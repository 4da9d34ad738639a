"""What should exist in a cluster: the file topology.yaml, how it is read and checked, and its values.

resources holds the values that the rest of kafka_setup works with; nothing here asks a cluster but acls.
"""
