"""Wine: 178 rows, 13 features, 3 classes. Chemical analyses of wines of one region; the class is the
cultivar. Classes of 59, 71 and 48 rows. Source: Aeberhard & Forina 1991, UCI Wine, shipped with scikit-learn.
"""

from cooldown.objectives.data.arrays import ArrayTask, Data
from cooldown.objectives.data.shipped import shipped


def load() -> Data:
    """X (178, 13) and y (178,)."""
    return shipped("wine_data.csv", "load_wine", header=1)


wine = ArrayTask("wine", "classification", load)
