"""The catalog of learning-rate schedules: one file per schedule, named after it.

`names()` lists them, `get(name)` returns the `Schedule`. To add one, create a file with one module-level `Schedule`.
"""

from cooldown.objectives.catalog import Catalog
from cooldown.objectives.schedule import Plan, Reaction, Schedule

_catalog = Catalog(__name__, __path__, Schedule, "schedule")
names, get = _catalog.names, _catalog.get

__all__ = ["Plan", "Reaction", "Schedule", "get", "names"]
