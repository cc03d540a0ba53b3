"""`shipped`: a data set that comes with scikit-learn, read from its file without the import of scikit-learn, which
takes longer than everything else before the first job of an experiment.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def shipped(file: str, loader: str, header: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """X (n, d) and the classes y (n,), which are the last column. file: its name. header: lines above the numbers.
    loader: scikit-learn's own function, which reads it where another version has its files elsewhere.
    """
    if (path := _folder() / file).is_file():
        rows = np.loadtxt(path, delimiter=",", skiprows=header)
        return rows[:, :-1], rows[:, -1].astype(np.int64)
    from sklearn import datasets

    X, y = getattr(datasets, loader)(return_X_y=True)
    return X, y


def _folder() -> Path:
    """Where scikit-learn has its data sets."""
    found = find_spec("sklearn")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "datasets" / "data"
