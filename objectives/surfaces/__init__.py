"""The catalog of surfaces, functions of two variables to watch optimizers on: one file per surface, named after it.

`names()` lists them, `get(name)` gives the `Surface`; `trajectories` gives the paths of all optimizers from its start,
each at the learning rate that `tune` finds. To add one, create a file with one module-level `Surface`.
"""

from collections.abc import Iterable

from cooldown.objectives import trajectories as _trajectories
from cooldown.objectives.catalog import Catalog
from cooldown.objectives.surface import Minimum, Surface
from cooldown.objectives.trajectories import Trajectory

_catalog = Catalog(__name__, __path__, Surface, "surface")
names, get = _catalog.names, _catalog.get


def trajectories(
    surface: str | Surface, optimizers: Iterable[str] | None = None, steps: int | None = None
) -> list[Trajectory]:
    """The paths of `optimizers` (all, unless named) over `surface` from its start, each at its tuned learning rate.

    steps: updates of each path, and within which the rate is tuned; the surface's own unless given. The rules' other
    hyperparameters are at their defaults. Raises InputError for an unknown surface or optimizer, an optimizer named
    twice, and steps out of range.
    """
    return _trajectories.trajectories(_resolved(surface), optimizers, steps)


def tune(surface: str | Surface, optimizer: str, steps: int | None = None) -> float:
    """The learning rate at which `optimizer` does best on `surface` within `steps` updates, by a short search.

    Best is, in this order: to arrive for good (`Surface.arrival`); at a lower minimum; in fewer steps; to end lower. A
    rate is out where a step, other than one from where the path has arrived, is longer than a tenth of the window's
    diagonal: that is a jump and not a descent, and without this bound the best way off a saddle were a rate too large
    for anything. Rates are tried from 10⁴ down to 10⁻⁶ on a log scale, then closer around the best.
    """
    return _trajectories.tune(_resolved(surface), optimizer, steps)


def _resolved(surface: str | Surface) -> Surface:
    return surface if isinstance(surface, Surface) else get(surface)


__all__ = ["Minimum", "Surface", "Trajectory", "get", "names", "trajectories", "tune"]
