"""What is in an image: every path and every setting, read as a stream, and how two images differ."""
