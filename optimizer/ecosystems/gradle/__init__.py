"""Gradle: why its builds are left alone."""
