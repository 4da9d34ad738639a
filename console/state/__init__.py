"""What the console remembers, all of it bounded and safe to read while others write. No I/O, no clock."""
