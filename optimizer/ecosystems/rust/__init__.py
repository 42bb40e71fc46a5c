"""Rust: the manifests of cargo, its settings, and the models of its commands."""
