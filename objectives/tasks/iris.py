"""Iris: 150 rows, 4 features, 3 classes of 50 rows each. Lengths and widths of sepals and petals in cm; the
class is the species. Source: Fisher 1936, shipped with scikit-learn.
"""

from cooldown.objectives.data.arrays import ArrayTask, Data
from cooldown.objectives.data.shipped import shipped


def load() -> Data:
    """X (150, 4) and y (150,)."""
    return shipped("iris.csv", "load_iris", header=1)


iris = ArrayTask("iris", "classification", load)
