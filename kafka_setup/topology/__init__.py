"""The wanted state of a cluster: the file topology.yaml, how it is read and checked, and its values.

resources has the values that the rest of kafka_setup uses; only acls sends requests to a cluster.
"""
