"""The catalog of tasks, one file per built-in task, and the ways to make one of one's own data or model."""

from objectives.catalog import Catalog
from objectives.tasks._task import Task

_catalog = Catalog(__name__, __path__, Task, "task")
names, get = _catalog.names, _catalog.get

__all__ = ["Task", "get", "names"]
