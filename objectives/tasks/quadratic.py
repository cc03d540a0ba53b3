"""Noisy quadratic: 2000 rows, 20 parameters and a minimum known in closed form. Row i is a point x_i that pulls
the parameters with the loss ½(θ − x_i)ᵀH(θ − x_i), so that mini-batch gradients are noisy; over all rows that is
a bowl around the points' mean. H has eigenvalues from 1 down to 0.01, evenly spaced in their logarithm: a ravine
of condition number 100. Its axes are random directions, because along the parameters' own a rule with a rate for
each parameter, such as Adam, would have just the right one for each.

The points lie in opposite pairs on the ellipsoid around their mean where the loss is d/2 = 10, and have the
covariance H⁻¹. So a gradient's noise has the covariance H/B for batches of B rows, as it is near the optimum of a
likelihood. Losses are told without those 10, which no θ can avoid: the minimum over all rows is 0, and 0 is what
the points' mean scores on any rows. Some rows by themselves have their least loss elsewhere, a little below 0,
which a long full-batch run on the training rows reaches. Untrained parameters score about 4.5, the uninformed
loss. Source: synthetic, drawn from a fixed stream; the model of Zhang et al. 2019, Which Algorithmic Choices
Matter at Which Batch Sizes?
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
