"""Go: its manifests and the models of its commands."""
