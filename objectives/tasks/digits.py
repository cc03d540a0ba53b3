"""Handwritten digits: 1,797 rows, 64 features, 10 classes. Each feature is the intensity of one pixel of an 8×8
image, 0 to 16. Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits (its test set),
shipped with scikit-learn.
"""

from cooldown.objectives.data.arrays import ArrayTask, Data
from cooldown.objectives.data.shipped import shipped


def load() -> Data:
    """X (1797, 64) and y (1797,)."""
    return shipped("digits.csv.gz", "load_digits")


digits = ArrayTask("digits", "classification", load)
