"""Pictures: pure functions from data to a Plotly figure, one module per picture.

Nothing here reads a ledger or writes a file: a command, a report and the dashboard show the same figures.
"""
