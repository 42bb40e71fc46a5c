"""What the program of an image does when it runs: as whom it has to run, what it writes, where it listens."""
