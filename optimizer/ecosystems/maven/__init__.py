"""Maven: its manifests, its command line and the models of what it does."""
