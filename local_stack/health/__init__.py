"""What the stack says about itself: its state (status), its problems (doctor), and its records (peek)."""
