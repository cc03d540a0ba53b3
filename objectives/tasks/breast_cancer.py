"""Breast cancer: 569 rows, 30 features, 2 classes. Shape and texture of cell nuclei in an image of a fine
needle aspirate; the class: whether the tumour is malignant (212 rows) or benign (357). Source: Wolberg et al. 1995,
Breast Cancer Wisconsin (Diagnostic), shipped with scikit-learn.
"""

from cooldown.objectives.data.arrays import ArrayTask, Data
from cooldown.objectives.data.shipped import shipped


def load() -> Data:
    """X (569, 30) and y (569,)."""
    return shipped("breast_cancer.csv", "load_breast_cancer", header=1)


breast_cancer = ArrayTask("breast_cancer", "classification", load)
