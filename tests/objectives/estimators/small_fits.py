"""What the tests of the estimators share: small data, and estimators that are quick to fit."""

import numpy as np
from sklearn.datasets import load_diabetes, load_iris
from sklearn.preprocessing import StandardScaler

from cooldown.objectives import Problem
from cooldown.objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor
from cooldown.objectives.models.mlp import MLP

X_IRIS, y_iris = load_iris(return_X_y=True)
X_IRIS = StandardScaler().fit_transform(X_IRIS)
X_DIABETES, y_diabetes = load_diabetes(return_X_y=True)
X_DIABETES = StandardScaler().fit_transform(X_DIABETES)
NAMES = np.array(["setosa", "versicolor", "virginica"])[y_iris]
WILD = {"optimizer": "sgd", "learning_rate": 1e30}


def classifier(**parameters):
    return ScheduledMLPClassifier(**{"learning_rate": 0.01, "epochs": 4, "random_state": 3, **parameters})


def regressor(**parameters):
    return ScheduledMLPRegressor(**{"learning_rate": 0.01, "epochs": 4, "random_state": 3, **parameters})


def iris_problem(train_rows=None, held_out=None, hidden=(32,)):
    train_rows = np.arange(150) if train_rows is None else train_rows
    held_out = np.arange(0) if held_out is None else held_out
    return Problem(MLP(X_IRIS, y_iris, hidden, 3, "cross_entropy"), train_rows, held_out, 1.1)
