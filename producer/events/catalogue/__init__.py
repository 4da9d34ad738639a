"""The event catalogue: YAML files that a user can copy and change, and the code that reads them."""
