"""The strategies around the update rule, each a field of `TrainConfig`: formula, default, search range, source.

They are declared here and implemented elsewhere: data order in training/data_order.py, gradients in
training/gradients.py, stopping in training/watch.py, averages in training/averaging.py, sharpness-aware
minimization in training/ascent.py, dropout and normalization in models/mlp.py.
"""

from dataclasses import dataclass
from typing import Any

from cooldown.objectives.hyperparameters import Categorical, Declared, Hyperparameter, Scale


@dataclass(frozen=True)
class Strategy:
    """One strategy: a field of `TrainConfig`.

    declared: its name, default and search range. formula, reference: for the documentation. needs: the strategy without
    which this one has no effect, and a value of it with which it has one.
    """

    declared: Declared
    formula: str
    reference: str
    needs: tuple[str, Any] | None = None

    @property
    def name(self) -> str:
        """The field's name."""
        return self.declared.name


_ALL = (
    Strategy(
        Categorical("shuffle", True, (True, False), meaning="whether rows are shuffled in each epoch"),
        "a new permutation of the rows in each epoch; off: the rows in their order in the data",
        "Bottou 2012",
    ),
    Strategy(
        Categorical(
            "curriculum",
            "none",
            ("none", "easy_to_hard", "mixed"),
            meaning="which rows come first, by a reference model's loss",
        ),
        "epoch e: n rows of the easiest share min(1, 0.2 + 1.6 e/E); mixed: half of these, half of all rows",
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
            meaning="patience: the run stops after this many epochs without a better held-out loss",
        ),
        "stops after `early_stopping` epochs without a new best, and keeps the parameters of the best epoch",
        "Prechelt 1998",
    ),
    Strategy(
        Hyperparameter(
            "gradient_noise",
            0.0,
            0.01,
            1.0,
            Scale.LOG,
            searched=False,
            meaning="variance of the noise at the first update",
        ),
        "g + N(0, gradient_noise/(1+s)^gradient_noise_decay), s = 0, 1, … the update's index",
        "Neelakantan et al. 2015",
    ),
    Strategy(
        Hyperparameter(
            "gradient_noise_decay", 0.55, 0.1, 1.0, searched=False, meaning="exponent γ with which the noise decays"
        ),
        "γ of gradient_noise",
        "Neelakantan et al. 2015; Welling & Teh 2011",
        needs=("gradient_noise", 0.1),
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
            meaning="probability of dropping a hidden unit",
        ),
        "hidden activations times Bernoulli(1−p)/(1−p) while training",
        "Srivastava et al. 2014",
    ),
    Strategy(
        Categorical("batch_norm", False, (True, False), meaning="whether hidden layers are batch-normalized"),
        "γ (z − mean)/√(var + 1e-5) + β over the batch, before the activation; running statistics in evaluation",
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
            meaning="largest norm of the gradient",
        ),
        "g · min(1, clip_norm/‖g‖)",
        "Pascanu, Mikolov & Bengio 2013",
    ),
    Strategy(
        Hyperparameter("l2", 0.0, 1e-6, 0.1, Scale.LOG, searched=False, meaning="coefficient of the L2 penalty"),
        "g + l2·θ (`weight_decay` of torch's SGD and Adam)",
        "Krogh & Hertz 1992",
    ),
    Strategy(
        Hyperparameter(
            "weight_decay", 0.0, 1e-5, 1.0, Scale.LOG, searched=False, meaning="coefficient λ of the decoupled decay"
        ),
        "θ ← θ − ηλθ before the rule, besides adamw's and lion's own; η is the learning_rate, a factor for some rules",
        "Loshchilov & Hutter 2019",
    ),
    Strategy(
        Categorical(
            "initialization",
            "auto",
            ("auto", "he", "glorot", "poor", "large", "zero", "normal_0.1"),
            meaning="how the weights are drawn; biases are zero",
        ),
        "he N(0, 2/in); glorot U(±√(6/(in+out))); poor N(0, 0.01²); large N(0, 1); zero 0; normal_0.1 N(0, 0.1²); "
        "auto: he before ReLU, else glorot",
        "He et al. 2015; Glorot & Bengio 2010; zero and normal_0.1: Neelakantan et al. 2015",
    ),
    Strategy(
        Categorical(
            "averaging",
            "none",
            ("none", "ema", "swa"),
            meaning="which average of the parameters is measured and kept in place of the trained ones",
        ),
        "ema: θ̄ ← dθ̄ + (1−d)θ after each update, d = averaging_decay; swa: θ̄ the mean of θ after each epoch of the "
        "last averaging_share",
        "Polyak & Juditsky 1992; swa: Izmailov et al. 2018",
    ),
    Strategy(
        Hyperparameter(
            "averaging_decay",
            0.99,
            0.9,
            0.999,
            Scale.ONE_MINUS_LOG,
            searched=False,
            maximum=1,
            open_maximum=True,
            meaning="decay d of the average `ema`",
        ),
        "d of averaging: 1/(1−d) is about the number of updates in the average",
        "Polyak & Juditsky 1992",
        needs=("averaging", "ema"),
    ),
    Strategy(
        Hyperparameter(
            "averaging_share",
            0.25,
            0.1,
            0.5,
            searched=False,
            maximum=1,
            open_minimum=True,
            meaning="share of the epochs, the last ones, in the average `swa`",
        ),
        "swa averages the last max(1, round(averaging_share · epochs)) epochs",
        "Izmailov et al. 2018",
        needs=("averaging", "swa"),
    ),
    Strategy(
        Hyperparameter(
            "sam",
            0.0,
            0.01,
            0.5,
            Scale.LOG,
            searched=False,
            meaning="radius ρ of sharpness-aware minimization, 0 for none; 0.05 is the paper's",
        ),
        "the gradient at θ + ρ g/‖g‖, g that at θ: two gradients an update, and counted as two",
        "Foret et al. 2021",
    ),
)
STRATEGIES = {strategy.name: strategy for strategy in _ALL}
"""All strategies by name, in the order of `TrainConfig`'s fields."""


def default(name: str) -> Any:
    """The default of the strategy `name`."""
    return STRATEGIES[name].declared.default


def first_averaged(epochs: int, share: float) -> int:
    """The first epoch (from 0) in the mean of `averaging="swa"` of a run; the last epoch is always in it."""
    return epochs - max(round(share * epochs), 1)
