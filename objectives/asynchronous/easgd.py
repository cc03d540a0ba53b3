"""Elastic averaging SGD: workers move copies, which an elastic force ties to a centre."""

from cooldown.objectives.asynchrony import Asynchronous, interval
from cooldown.objectives.hyperparameters import Hyperparameter

easgd = Asynchronous(
    name="easgd",
    own=(
        interval("exchange_every", 4, "updates of a worker between two exchanges with the centre"),
        Hyperparameter(
            "elasticity", 0.9, 0.1, 1.0, searched=False, maximum=1e4, meaning="β, the force of all workers together"
        ),
    ),
    exchange_every="exchange_every",
    elasticity="elasticity",
    formula="g at xⁱ; to exchange: d = (β/p)(xⁱ − θ), θ ← θ + d, xⁱ ← xⁱ − d; xⁱ ← the rule's step from xⁱ with g",
    reference="Zhang, Choromanska & LeCun 2015",
)
