"""The analysis: from the bytes of a Dockerfile to proven changes."""
