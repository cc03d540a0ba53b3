"""The command line: parse arguments, make one call, print the result.

Results go to stdout, progress and messages to stderr.
Exit 0 done · 1 failed while running · 2 bad input · 130 interrupted.
"""

# In the order in which `cooldown --help` lists their commands.
from cooldown.search.cli import running, queueing, working, describing, reading, taking  # isort: skip
from cooldown.search.cli import predicting, papers, checking, doctor, copying, parallel  # isort: skip
from cooldown.search.cli.frame import app, main

__all__ = [
    "app",
    "checking",
    "copying",
    "describing",
    "doctor",
    "main",
    "papers",
    "parallel",
    "predicting",
    "queueing",
    "reading",
    "running",
    "taking",
    "working",
]
