"""The data of a task: splits, arrays, tables, downloads, OpenML, and the user's own models."""
