"""California housing: 20,640 rows, 8 features, a regression. A row is a block group of the census of 1990:
median income, age of the houses, rooms, bedrooms and people per household, population, latitude, longitude; the
target is the median house value in units of 100,000 dollars, 0.15 to 5. A few blocks are extreme outliers in
rooms or people per household. Source: Pace & Barry 1997, Sparse Spatial Autoregressions; scikit-learn downloads
it on first use.
"""

from cooldown.objectives.data.arrays import ArrayTask, Data
from cooldown.objectives.data.downloads import downloading


@downloading("task 'california_housing'")
def load() -> Data:
    """X (20640, 8) and y (20640,)."""
    from sklearn.datasets import fetch_california_housing

    X, y = fetch_california_housing(return_X_y=True)
    return X, y


california_housing = ArrayTask("california_housing", "regression", load)
