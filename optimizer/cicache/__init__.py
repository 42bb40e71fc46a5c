"""The cache configuration that fits a Dockerfile, for the places where images are built in CI."""
