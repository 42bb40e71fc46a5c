"""Rewrites: one file per optimization pass, each with its documentation."""
