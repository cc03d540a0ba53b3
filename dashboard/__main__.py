"""The server process: imports everything that the pages need, then serves them.

Otherwise the first visitor would wait for the imports. `search/cli/serve.py` starts this process and reports when it
listens.
"""

import argparse
import os
import sys
import threading
from importlib import import_module

ENDS_WITH_STDIN = "COOLDOWN_ENDS_WITH_STDIN"
"""Set to 1 by `cooldown dashboard`: standard input is a pipe from it, which is closed when that process ends."""


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if os.environ.get(ENDS_WITH_STDIN) == "1":
    # Before the imports, which take seconds.
    threading.Thread(target=_end_with_stdin, daemon=True).start()

from cooldown.dashboard import server  # noqa: E402
from cooldown.objectives.trust import trust_nothing  # noqa: E402
from cooldown.search import export  # noqa: E402
from cooldown.search.service.service import MB, Limits  # noqa: E402

TRUST = "COOLDOWN_TRUST"
"""Set to 1 by `cooldown dashboard --trust`: modules that the ledger names may be imported."""

NEEDED = (
    "pandas",
    "plotly.graph_objects",
    "scipy.stats",
    "cooldown.search.evidence.alarms",
    "cooldown.search.evidence.credit",
    "cooldown.search.figures.budget",
    "cooldown.search.figures.learning",
    "cooldown.search.figures.schedules",
    "cooldown.search.figures.surface",
    "cooldown.search.figures.trials",
    "cooldown.search.figures.verdict",
    "cooldown.search.evidence.sensitivity",
    "cooldown.search.evidence.verdict",
    "cooldown.search.evidence.tables",
)

TO_SUBMIT = ("cooldown.search.experiments", "cooldown.search.tuning.size", "cooldown.storage.optuna_rows")
"""What the API needs beside that, for whom else the first caller would wait."""

for name in NEEDED:
    import_module(name)
# A catalog imports its entries when it is first asked for one.
export.names()

if os.environ.get(TRUST) != "1":
    trust_nothing()

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="cooldown.dashboard")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--base-path", default="")
    parser.add_argument("--allow-host", action="append", default=[])
    parser.add_argument("--tokens", action="store_true")
    parser.add_argument("--api", action="store_true")
    parser.add_argument("--openml", action="store_true")
    parser.add_argument("--webhooks", action="store_true")
    parser.add_argument("--upload", type=int, default=0)
    given = parser.parse_args()
    for name in TO_SUBMIT if given.api else ():
        import_module(name)
    place = server.Place(given.host, given.port, given.base_path, given.allow_host, given.tokens)
    limits = Limits(openml=given.openml, webhooks=given.webhooks, dataset=given.upload * MB)
    server.run(place, limits if given.api else None)
