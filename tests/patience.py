"""How long a test waits for another process."""

PATIENCE = 300.0
"""Seconds after which a test gives up waiting. Nothing is timed: this only keeps a hanging process from hanging us."""
