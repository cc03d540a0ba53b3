"""Autoencoder of handwritten digits: 1,797 rows, 64 features, a regression with the same 64 numbers as targets.
Each 8×8 image is reconstructed from 8 numbers: tanh layers of 32, 8 and 32 units. Deep autoencoders are a
classic hard problem for first-order rules. The loss is the squared error of a pixel in units of the pixels'
mean variance, so the mean image has a loss of about 1; a pixel that is always empty adds nothing. Source: the
data are those of `digits`; as a test of optimizers, Hinton & Salakhutdinov 2006 and Martens 2010.
"""

from cooldown.objectives.data.arrays import ArrayTask, Data
from cooldown.objectives.tasks.digits import load as load_digits


def load() -> Data:
    """X (1797, 64) and the same as y (1797, 64)."""
    X, _ = load_digits()
    return X, X


autoencoder_digits = ArrayTask(
    "autoencoder_digits", "regression", load, hidden=(32, 8, 32), activation="tanh", shared_scale=True
)
