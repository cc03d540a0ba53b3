"""What came out of an experiment: losses, verdicts, alarms and tables, read from a `View` of its record."""

SECTIONS = ("pairs", "credit", "budget", "sensitivity", "cost", "target", "pruning", "generalization")
"""The sections of an experiment's evidence, each a function of evidence/sections.py with the same name."""
