"""What the program says of itself, made from its own commands: examples, completion of shells, the manual page."""
