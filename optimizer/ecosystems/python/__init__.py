"""Python: its manifests, its package managers, and what its scripts read."""
