"""Forest cover: 20,000 rows, 12 features, 7 classes. A row is a patch of 30 × 30 m: ten measurements (elevation,
slope, shade, distances), its wilderness area, one of 4, and its soil type, one of 40; the class is the kind of
trees. The rows are a fixed random subset of the 581,012, which are too many for a search of many trials, with
the class proportions of the whole. Source: Blackard & Dean 1999, Covertype; scikit-learn downloads it on first use.
"""

import numpy as np

from cooldown.objectives.data.arrays import ArrayTask, Data
from cooldown.objectives.data.downloads import downloading
from cooldown.objectives.random_streams import seeds

N_ROWS, MEASUREMENTS, AREAS = 20_000, 10, 4


@downloading("task 'covertype'")
def load() -> Data:
    """X (20000, 12) and y (20000,)."""
    from sklearn.datasets import fetch_covtype
    from sklearn.model_selection import train_test_split

    everything, cover = fetch_covtype(return_X_y=True)
    [seed] = seeds(0, "task", "covertype", count=1)
    chosen, _ = train_test_split(np.arange(len(cover)), train_size=N_ROWS, random_state=seed, stratify=cover)
    rows = np.sort(chosen)
    # Area and soil come as 44 columns of zeros and ones. As two columns of codes they are encoded like any categories:
    # not standardized, and without a column for a rare soil.
    measurements, areas, soils = np.split(everything[rows], [MEASUREMENTS, MEASUREMENTS + AREAS], axis=1)
    return np.column_stack([measurements, areas.argmax(axis=1), soils.argmax(axis=1)]), cover[rows] - 1


covertype = ArrayTask("covertype", "classification", load, categorical=(MEASUREMENTS, MEASUREMENTS + 1))
