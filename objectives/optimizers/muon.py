"""Muon: momentum whose step for a weight matrix is made orthogonal; all other parameters are trained by AdamW.

The step of a matrix has singular values near 1 whatever those of the momentum, by five Newton–Schulz steps, polynomials
of the matrix. They are computed on its smaller Gram matrix, which takes fewer products than on the matrix itself.
"""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Matrices, Optimizer, decay, learning_rate
from cooldown.objectives.relations import KnownArm


def nesterov(
    theta: Any,
    gradient: Any,
    m: Any,
    v: Any,
    learning_rate: Any,
    t: Any,
    momentum: Any,
    other_rate: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
) -> Any:
    """Nesterov's momentum of one entry, as torch has it: between the gradient and its running average."""
    return (1 - momentum) * gradient + momentum * (momentum * m + (1 - momentum) * gradient)


def orthogonalized(matrix: Any) -> Any:
    """The matrix (inputs, outputs) after five Newton–Schulz steps, times √max(1, outputs/inputs).

    A step X ← aX + b(XXᵀ)X + c(XXᵀ)²X multiplies X by a polynomial of its Gram matrix, and this by its square.
    `product` is that of all polynomials.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    rows, columns = matrix.shape
    squares = matrix * matrix
    norm = np.sqrt(squares.sum())
    matrix = matrix / np.maximum(norm, 0 * norm + 1e-7)
    gram = matrix.T @ matrix if rows > columns else matrix @ matrix.T
    identity = np.eye(min(rows, columns), dtype=matrix.dtype)
    product = polynomial = a * identity + b * gram + c * (gram @ gram)
    for _ in range(4):
        gram = polynomial @ (polynomial @ gram)
        polynomial = a * identity + b * gram + c * (gram @ gram)
        product = polynomial @ product
    moved = matrix @ product if rows > columns else product @ matrix
    return moved * max(1, columns / rows) ** 0.5


def orthogonalized_in_loops(matrix: Any) -> Any:
    """`orthogonalized` for the engine: the same products, in arrays that are used again. The norm is the root of the
    Gram matrix's trace, and its inverse is multiplied into the smaller matrix.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    rows, columns = matrix.shape
    size = min(rows, columns)
    shape = size, size
    gram, square = np.empty(shape, matrix.dtype), np.empty(shape, matrix.dtype)
    polynomial, product = np.empty(shape, matrix.dtype), np.empty(shape, matrix.dtype)
    spare, found = np.empty(shape, matrix.dtype), np.empty(matrix.shape, matrix.dtype)
    if rows > columns:
        np.dot(matrix.T, matrix, gram)
    else:
        np.dot(matrix, matrix.T, gram)
    trace = 0.0
    for i in range(size):
        trace += gram[i, i]
    norm = np.maximum(np.sqrt(trace), 1e-7)
    scale = 1.0 / (norm * norm)
    for i in range(size):
        for j in range(size):
            gram[i, j] *= scale
    for step in range(5):
        if step > 0:
            np.dot(polynomial, gram, spare)
            np.dot(polynomial, spare, gram)
        np.dot(gram, gram, square)
        for i in range(size):
            for j in range(size):
                polynomial[i, j] = b * gram[i, j] + c * square[i, j]
            polynomial[i, i] += a
        if step > 0:
            np.dot(polynomial, product, spare)
            product, spare = spare, product
        else:
            product[:] = polynomial
    factor = np.sqrt(np.maximum(columns / rows, 1.0)) / norm
    for i in range(size):
        for j in range(size):
            product[i, j] *= factor
    if rows > columns:
        np.dot(matrix, product, found)
    else:
        np.dot(product, matrix, found)
    return found


def update(
    theta: Any,
    gradient: Any,
    m: Any,
    v: Any,
    learning_rate: Any,
    t: Any,
    momentum: Any,
    other_rate: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
    direction: Any = 0.0,
    in_matrix: Any = 0.0,
) -> Any:
    """θ ← θ − η(O + λθ) in a matrix, O its orthogonalized momentum; elsewhere AdamW at the rate η · other_rate."""
    elsewhere = 1 - in_matrix
    average = momentum * in_matrix + beta1 * elsewhere
    m = average * m + (1 - average) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    root = np.sqrt(v) / np.sqrt(1 - beta2**t)
    step = in_matrix * direction + elsewhere * m / (1 - beta1**t) / (root + epsilon)
    rate = learning_rate * (in_matrix + elsewhere * other_rate)
    return theta - rate * (step + weight_decay * theta), m, v


def _fixed(name: str, default: float, low: float, high: float, scale: Scale, meaning: str) -> Hyperparameter:
    """A number of AdamW for the other parameters, which a search leaves at its default."""
    most = 1 if scale is Scale.ONE_MINUS_LOG else float("inf")
    return Hyperparameter(
        name, default, low, high, scale, searched=False, maximum=most, open_maximum=most == 1, meaning=meaning
    )


muon = Optimizer(
    name="muon",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(0.02, 1e-3, 0.3),
        decay("momentum", 0.95, 0.5, 0.99, "decay μ of the matrices' momentum"),
        Hyperparameter(
            "other_rate", 0.1, 0.01, 1.0, Scale.LOG, open_minimum=True, meaning="rate of AdamW as a factor of η"
        ),
        _fixed("beta1", 0.9, 0.5, 0.99, Scale.ONE_MINUS_LOG, "decay β₁ of AdamW's first moment"),
        _fixed("beta2", 0.999, 0.9, 0.9999, Scale.ONE_MINUS_LOG, "decay β₂ of AdamW's second moment"),
        _fixed("epsilon", 1e-8, 1e-10, 1e2, Scale.LOG, "ε in AdamW's denominator"),
        Hyperparameter("weight_decay", 0.01, 1e-4, 1.0, Scale.LOG, meaning="decoupled weight decay λ"),
    ),
    formula=(
        "a matrix: m ← μm + (1−μ)g; X = (1−μ)g + μm, X ← X/‖X‖, five times X ← aX + b(XXᵀ)X + c(XXᵀ)²X; "
        "θ ← θ − η(√max(1, out/in) X + λθ); other parameters: AdamW at η · other_rate"
    ),
    reference="Jordan 2024",
    matrices=Matrices(nesterov, orthogonalized, orthogonalized_in_loops),
    note="muon's learning rate is that of the weight matrices; where a model has none, all is trained by AdamW.",
    colour="#5F6BC4",
    # torch's computes in bfloat16, optax's corrects the momentum's bias, Keras's has other defaults for its parts.
    arms=(KnownArm("muon", "orthogonal steps for weight matrices, AdamW for the rest"),),
)
