"""Elixir: its manifests and the models of `mix`."""
