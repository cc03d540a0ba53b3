"""The server's process: Streamlit's command, once everything that pages need has been imported.

Else the first reader would wait for it. `search.serve` starts this and says when it listens.
"""

import sys

import pandas  # noqa: F401
import plotly.graph_objects  # noqa: F401
import scipy.stats  # noqa: F401
from streamlit.web.cli import main

import search.alarms
import search.credit
import search.figures.budget
import search.figures.learning
import search.figures.schedules
import search.figures.surface
import search.figures.trials
import search.figures.verdict
import search.sensitivity
import search.summary
import search.tables  # noqa: F401
from search import export

# A catalog imports its entries when it is first asked for one.
export.names()

if __name__ == "__main__":
    sys.exit(main(prog_name="streamlit"))
