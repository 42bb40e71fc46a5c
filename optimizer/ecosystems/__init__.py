"""Languages and their package managers: manifests, lock files, install and build commands, caches, hazards."""
