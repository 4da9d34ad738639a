"""What a cluster should hold: topics, users and permissions, declared in one file that users can copy."""
