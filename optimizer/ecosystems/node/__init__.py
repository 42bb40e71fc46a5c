"""Node: its manifests and the models of its package managers."""
