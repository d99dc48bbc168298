"""Nouns: what every other room talks about. No I/O, no third-party imports."""
