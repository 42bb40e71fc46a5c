"""dockopt: a layer-cache optimizer and Dockerfile rewriter."""

__version__ = "0.1.0"
