"""EAMSGD: elastic averaging whose copies have a velocity, as in Nesterov's method."""

from cooldown.objectives.asynchrony import EXCHANGE, Asynchronous
from cooldown.objectives.hyperparameters import Hyperparameter, Scale

eamsgd = Asynchronous(
    name="eamsgd",
    own=(
        *EXCHANGE,
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
