"""The rule of what a valid line is, as examples that every parser here is tested against; see README.md."""
