"""Data of a task: splits, arrays, tables, downloads, OpenML, and models of the user's own."""
