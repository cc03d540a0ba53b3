"""Diabetes: 442 rows, 10 features, a regression. Age, sex, body-mass index, blood pressure and six serum
measurements; the target is the disease's progression after one year, 25 to 346. Source: Efron et al. 2004,
shipped with scikit-learn.
"""

from cooldown.objectives.data.arrays import ArrayTask, Data


def load() -> Data:
    """X (442, 10) and y (442,)."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    return X, y


diabetes = ArrayTask("diabetes", "regression", load)
