"""What the stack is doing (status) and what is wrong with it (doctor)."""
