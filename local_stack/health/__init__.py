"""The state of the stack (status), and its problems (doctor)."""
