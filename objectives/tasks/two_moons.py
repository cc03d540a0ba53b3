"""Two moons: 600 rows, 2 features, 2 classes of 300 rows each. Two interleaved half circles with Gaussian noise
of standard deviation 0.25, so they overlap a little and no straight line separates them. Source: synthetic,
scikit-learn's `make_moons` with a fixed seed.
"""

from cooldown.objectives.data.arrays import ArrayTask, Data


def load() -> Data:
    """X (600, 2) and y (600,)."""
    from sklearn.datasets import make_moons

    X, y = make_moons(n_samples=600, noise=0.25, random_state=0)
    return X, y


two_moons = ArrayTask("two_moons", "classification", load)
