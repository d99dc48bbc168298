"""The version of dbguard, and nothing else: the build reads it from here."""

__version__ = "0.1.0"
