"""The server's process: Streamlit's command, once everything that pages need has been imported.

Else the first reader would wait for it. `search.serve` starts this and says when it listens.
"""

import sys
from importlib import import_module

from streamlit.web.cli import main

from search import export

NEEDED = (
    "pandas",
    "plotly.graph_objects",
    "scipy.stats",
    "search.alarms",
    "search.credit",
    "search.figures.budget",
    "search.figures.learning",
    "search.figures.schedules",
    "search.figures.surface",
    "search.figures.trials",
    "search.figures.verdict",
    "search.sensitivity",
    "search.summary",
    "search.tables",
)

for name in NEEDED:
    import_module(name)
# A catalog imports its entries when it is first asked for one.
export.names()

if __name__ == "__main__":
    sys.exit(main(prog_name="streamlit"))
