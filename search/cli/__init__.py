"""The command line: parse arguments, make one call, print the result.

Results go to stdout, progress and messages to stderr.
Exit 0 done · 1 failed while running · 2 bad input · 130 interrupted.
"""

# In the order in which `cooldown --help` lists their commands.
from cooldown.search.cli import running, queueing, annotating, working, serving, describing, reading, summarizing  # isort: skip
from cooldown.search.cli import taking, predicting, papers, checking, doctor, copying, access, claiming, parallel  # isort: skip
from cooldown.search.cli import remote
from cooldown.search.cli.frame import app, main

__all__ = [
    "access",
    "annotating",
    "app",
    "checking",
    "claiming",
    "copying",
    "describing",
    "doctor",
    "main",
    "papers",
    "parallel",
    "predicting",
    "queueing",
    "reading",
    "remote",
    "running",
    "serving",
    "summarizing",
    "taking",
    "working",
]
