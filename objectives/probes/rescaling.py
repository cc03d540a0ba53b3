"""Another point with the same function, after Dinh et al. 2017: one layer of a ReLU network times a factor, the next
divided by it.
"""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import MLP


def rescaled(model: MLP, theta: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """(size,) parameters with the outputs of `theta` (size,): the first layer's weights and biases times `factor` > 0,
    the second layer's weights divided by it.

    Raises InputError for a network without hidden layers, with another activation than ReLU, or with batch
    normalization, whose outputs would change or would not depend on the first layer's scale.
    """
    if not model.hidden or model.activation != "relu" or model.batch_norm:
        raise InputError(
            "rescaled(model=...): needs a ReLU network with a hidden layer and without batch normalization"
        )
    if not factor > 0:
        raise InputError(f"rescaled(factor={factor!r}): must be greater than 0")
    first, second = model.layers[:2]
    moved = np.array(theta, np.float64)
    moved[first.start : first.end] *= factor
    moved[second.start : second.bias] /= factor
    return moved
