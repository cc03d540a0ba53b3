"""The strategies around the rule, each a field of `TrainConfig`: what it does, its default, its range, its source.

They are declared here; what they do stands where it is done: data order in data_order.py, gradients in gradients.py,
stopping in watch.py, the network's own parts in models/mlp.py.
"""

from dataclasses import dataclass
from typing import Any

from cooldown.objectives.hyperparameters import Categorical, Declared, Hyperparameter, Scale


@dataclass(frozen=True)
class Strategy:
    """One field of `TrainConfig` around the rule.

    declared: its name, default and search range. formula, reference: for the documentation.
    """

    declared: Declared
    formula: str
    reference: str

    @property
    def name(self) -> str:
        """The field's name."""
        return self.declared.name


_ALL = (
    Strategy(
        Categorical("shuffle", True, (True, False), meaning="whether each epoch has an order of its own"),
        "a permutation of the rows each epoch; off: the rows as they come",
        "Bottou 2012",
    ),
    Strategy(
        Categorical(
            "curriculum",
            "none",
            ("none", "easy_to_hard", "mixed"),
            meaning="which rows come first, by a reference model's loss",
        ),
        "epoch e has n rows of the easiest share min(1, 0.2 + 1.6 e/E); mixed: half of them, and half of all rows",
        "Bengio et al. 2009; mixed: Zaremba & Sutskever 2014",
    ),
    Strategy(
        Hyperparameter(
            "early_stopping",
            None,
            2,
            10,
            integer=True,
            searched=False,
            minimum=1,
            meaning="patience: epochs without a better held-out loss after which the run ends, at its best epoch",
        ),
        "ends after `early_stopping` epochs without a new best, with the parameters of the best",
        "Prechelt 1998",
    ),
    Strategy(
        Hyperparameter(
            "gradient_noise", 0.0, 0.01, 1.0, Scale.LOG, searched=False, meaning="variance of the noise at first"
        ),
        "g + N(0, gradient_noise/(1+s)^gradient_noise_decay), s = 0, 1, … the update's index",
        "Neelakantan et al. 2015",
    ),
    Strategy(
        Hyperparameter("gradient_noise_decay", 0.55, 0.1, 1.0, searched=False, meaning="how fast the noise dies, γ"),
        "γ of gradient_noise",
        "Neelakantan et al. 2015; Welling & Teh 2011",
    ),
    Strategy(
        Hyperparameter(
            "dropout",
            0.0,
            0.0,
            0.5,
            searched=False,
            maximum=1,
            open_maximum=True,
            meaning="probability that a hidden unit is left out",
        ),
        "hidden activations times Bernoulli(1−p)/(1−p) while training",
        "Srivastava et al. 2014",
    ),
    Strategy(
        Categorical("batch_norm", False, (True, False), meaning="whether hidden layers are batch-normalized"),
        "γ (z − mean)/√(var + 1e-5) + β over the batch, before the activation; running statistics to measure with",
        "Ioffe & Szegedy 2015",
    ),
    Strategy(
        Hyperparameter(
            "clip_norm",
            None,
            0.1,
            10.0,
            Scale.LOG,
            searched=False,
            open_minimum=True,
            meaning="largest norm of a replicate's gradient",
        ),
        "g · min(1, clip_norm/‖g‖)",
        "Pascanu, Mikolov & Bengio 2013",
    ),
    Strategy(
        Hyperparameter("l2", 0.0, 1e-6, 0.1, Scale.LOG, searched=False, meaning="coefficient of the L2 penalty"),
        "g + l2·θ (torch's `weight_decay` of SGD and Adam)",
        "Krogh & Hertz 1992",
    ),
    Strategy(
        Hyperparameter(
            "weight_decay", 0.0, 1e-5, 1.0, Scale.LOG, searched=False, meaning="coefficient λ of the decoupled decay"
        ),
        "θ ← θ − ηλθ before the rule, beside `adamw`'s own; η as the rule has it, a factor for adadelta and yellowfin",
        "Loshchilov & Hutter 2019",
    ),
    Strategy(
        Categorical(
            "initialization",
            "auto",
            ("auto", "he", "glorot", "poor", "large"),
            meaning="how the weights are drawn; biases are zero",
        ),
        "he N(0, 2/in); glorot U(±√(6/(in+out))); poor N(0, 0.01²); large N(0, 1); auto: he before ReLU, else glorot",
        "He et al. 2015; Glorot & Bengio 2010",
    ),
)
STRATEGIES = {strategy.name: strategy for strategy in _ALL}
"""All strategies by name, in the order of `TrainConfig`'s fields."""


def default(name: str) -> Any:
    """The default of the strategy `name`."""
    return STRATEGIES[name].declared.default
