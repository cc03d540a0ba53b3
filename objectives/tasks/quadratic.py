"""Noisy quadratic: 2,000 rows, 20 parameters and a minimum known in closed form. Row i is a point x_i with the
loss ½(θ − x_i)ᵀH(θ − x_i), so mini-batch gradients are noisy; over all rows the loss is a quadratic around the
points' mean. H has eigenvalues from 1 down to 0.01, evenly spaced on a log scale: condition number 100. Its
axes are random directions: if they were the parameters' axes, a rule with a rate per parameter, such as Adam,
could adapt to each.

The points lie in opposite pairs on the ellipsoid around their mean where the loss is d/2 = 10, and have the
covariance H⁻¹. So the gradient noise of batches of B rows has the covariance H/B, as near the optimum of a
likelihood. This constant 10 is subtracted from all losses: the minimum over all rows is 0, and the points' mean
has loss 0 on any rows. A subset of rows may have its minimum elsewhere, slightly below 0, which a long
full-batch run on the training rows reaches. Untrained parameters have a loss of about 4.5, the baseline loss.
Source: synthetic, drawn from a fixed stream; the model of Zhang et al. 2019, Which Algorithmic Choices Matter
at Which Batch Sizes?
"""

import numpy as np

from cooldown.objectives.data.own_model import ModelTask
from cooldown.objectives.models.quadratic import Bowl, Quadratic
from cooldown.objectives.random_streams import generator

N_ROWS, N_PARAMETERS, CONDITION = 2000, 20, 100.0


def load() -> Bowl:
    """Points (2000, 20) and the Hessian (20, 20)."""
    rng = generator(0, "task", "quadratic")
    eigenvalues = np.geomspace(1 / CONDITION, 1, N_PARAMETERS)
    directions, _ = np.linalg.qr(rng.normal(size=(N_PARAMETERS, N_PARAMETERS)))
    hessian = (directions * eigenvalues) @ directions.T
    mean = rng.normal(size=N_PARAMETERS)
    on_sphere = rng.normal(size=(N_ROWS // 2, N_PARAMETERS))
    on_sphere *= np.sqrt(N_PARAMETERS) / np.linalg.norm(on_sphere, axis=1, keepdims=True)
    away = (on_sphere / np.sqrt(eigenvalues)) @ directions.T
    return np.concatenate([mean + away, mean - away]), hessian


quadratic = ModelTask("quadratic", "regression", Quadratic(load), N_ROWS)
