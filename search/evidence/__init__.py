"""What came out of an experiment: losses, verdicts, alarms and tables, read from its record."""
