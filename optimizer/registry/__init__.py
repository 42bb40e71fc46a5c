"""Asks image registries for digests. Nothing else in dockopt uses the network, but for the engines that `verify` and `bench` start."""
