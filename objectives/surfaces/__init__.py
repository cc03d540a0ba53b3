"""The catalog of surfaces, test functions of two variables: one file per surface, named after it.

`names()` lists them, `get(name)` returns the `Surface`; `trajectories` returns the paths of all optimizers from the
start, each at its tuned learning rate. To add one, create a file with one module-level `Surface`.
"""

from collections.abc import Iterable

from cooldown.objectives import trajectories as _trajectories
from cooldown.objectives.catalog import Catalog
from cooldown.objectives.surface import Minimum, Surface
from cooldown.objectives.trajectories import Trajectory

_catalog = Catalog(__name__, __path__, Surface, "surface")
names, get = _catalog.names, _catalog.get


def trajectories(
    surface: str | Surface,
    optimizers: Iterable[str] | None = None,
    steps: int | None = None,
    rate: float | None = None,
) -> list[Trajectory]:
    """The paths of `optimizers` (by default all) over `surface` from its start, each at its tuned learning rate.

    steps: updates of each path, also while its rate is tuned; by default the surface's. rate: one learning rate for
    all, in place of tuned ones. The rules' other hyperparameters keep their defaults. Raises InputError for an unknown
    surface or optimizer, an optimizer named twice, steps out of range, and a rate that is not greater than 0.
    """
    return _trajectories.trajectories(_resolved(surface), optimizers, steps, rate)


def tune(surface: str | Surface, optimizer: str, steps: int | None = None) -> float:
    """The learning rate at which `optimizer` does best on `surface` within `steps` updates, by a short search.

    The criteria, in this order: the path arrives (`Surface.arrival`), at a lower minimum, in fewer steps, with a lower
    final value. A rate is rejected if a step before the arrival is longer than a tenth of the window's diagonal: that
    is a jump, not a descent, and without this bound an absurdly large rate would be the best at a saddle. Rates are
    tried from 10⁴ down to 10⁻⁶ on a log scale, then on a finer grid around the best.
    """
    return _trajectories.tune(_resolved(surface), optimizer, steps)


def _resolved(surface: str | Surface) -> Surface:
    return surface if isinstance(surface, Surface) else get(surface)


__all__ = ["Minimum", "Surface", "Trajectory", "get", "names", "trajectories", "tune"]
