"""EAMSGD: elastic averaging whose copies have a velocity, as in Nesterov's method."""

from cooldown.objectives.asynchrony import Asynchronous, interval
from cooldown.objectives.hyperparameters import Hyperparameter, Scale

eamsgd = Asynchronous(
    name="eamsgd",
    own=(
        interval("exchange_every", 4, "updates of a worker between two exchanges with the centre"),
        Hyperparameter(
            "elasticity", 0.9, 0.1, 1.0, searched=False, maximum=1e4, meaning="β, the force of all workers together"
        ),
        Hyperparameter(
            "velocity_decay", 0.99, 0.5, 0.999, Scale.ONE_MINUS_LOG, searched=False, maximum=1, open_maximum=True,
            meaning="decay δ of a copy's velocity",
        ),
    ),
    exchange_every="exchange_every",
    elasticity="elasticity",
    velocity="velocity_decay",
    formula="g at xⁱ + δv; exchange as easgd; v ← δv + the rule's step with g; xⁱ ← xⁱ + v",
    reference="Zhang, Choromanska & LeCun 2015",
)  # fmt: skip
