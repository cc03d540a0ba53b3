"""`probed`: all probes of one trained network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.probes.ablation import ablation_curve, area_under, selectivity
from cooldown.objectives.probes.rescaling import rescaled
from cooldown.objectives.probes.sharpness import LossAndGradient, sharpness
from cooldown.objectives.probes.variance import gradient_variance
from cooldown.objectives.problem import Indices, Problem, evaluate
from cooldown.objectives.random_streams import generator
from cooldown.objectives.records import Outcome
from cooldown.objectives.training.engine import fit

RESCALING = 10.0
"""The factor between the first two layers at which sharpness is measured again."""


@dataclass(frozen=True, eq=False)
class Probes:
    """What was measured of one trained network; NaN where a probe does not apply.

    train_loss, test_loss: after training, in evaluation; train_score, test_score: accuracy or R². sharpness: of the
    training loss, and `rescaled_sharpness` that of the same function with rescaled layers. gradient_variance: of a
    mini-batch of the config, at the trained parameters. area_under_ablation: see `area_under`. selectivity: the
    mean over the hidden units. ablation: (H + 1,) the curve, (0,) if there is none.
    """

    train_loss: float
    test_loss: float
    train_score: float
    test_score: float
    sharpness: float
    rescaled_sharpness: float
    gradient_variance: float
    area_under_ablation: float
    selectivity: float
    ablation: NDArray[np.float64]

    @property
    def gap(self) -> float:
        """The test loss less the training loss."""
        return self.test_loss - self.train_loss

    def to_json(self) -> dict[str, Any]:
        """JSON-ready: None for what does not apply."""
        names = [name for name in self.__dataclass_fields__ if name != "ablation"]
        numbers = {name: float(getattr(self, name)) for name in (*names, "gap")}
        known = {name: value if np.isfinite(value) else None for name, value in numbers.items()}
        return {**known, "ablation": self.ablation.tolist()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Probes":
        """The probes with this `to_json`; what does not apply is NaN."""
        names = [name for name in cls.__dataclass_fields__ if name != "ablation"]
        numbers = {name: float("nan") if document[name] is None else float(document[name]) for name in names}
        return cls(**numbers, ablation=np.asarray(document["ablation"], np.float64))


def training_loss(model: MLP, theta: NDArray[np.float64], rows: Indices) -> LossAndGradient:
    """The loss on `rows` (n,), and its gradient, as functions of the parameters that are trained, the first of `theta`
    (size,).
    """

    def loss_and_gradient(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        # Running statistics move with every evaluation; what they become is of no interest here.
        whole = np.concatenate([parameters, theta[model.trainable :]])[None]
        losses, gradients = model.loss_and_gradient(whole, rows[None])
        return float(losses[0]), gradients[0].astype(np.float64)

    return loss_and_gradient


def probed(problem: Problem, config: TrainConfig, seed: int) -> Probes | None:
    """Train `config` on `problem` with `seed`, as an evaluation does, and probe what it ends with; None if it diverged.

    Everything but the training is computed in float64. Raises InputError if the problem's model is not a network of
    Cooldown's own.
    """
    if not isinstance(problem.model, MLP):
        raise InputError("these probes are for Cooldown's own networks")
    fitted = fit(problem, config, [seed])
    if fitted.curves[0].outcome is Outcome.DIVERGED:
        return None
    # Products of small matrices, on which threads would only wait for each other.
    with threadpool_limits(1):
        return _probes(problem, config, seed, fitted.theta[0].astype(np.float64))


def _probes(problem: Problem, config: TrainConfig, seed: int, theta: NDArray[np.float64]) -> Probes:
    """The probes of a network with the parameters `theta` (size,)."""
    assert isinstance(problem.model, MLP)
    model = problem.model.with_batch_norm() if config.batch_norm else problem.model
    rows = problem.reacting.train if config.reacts else problem.train
    trained, loss_and_gradient = slice(model.trainable), training_loss(model, theta, rows)
    (train_loss,), (train_score,) = evaluate(model, theta[None], rows)
    (test_loss,), (test_score,) = evaluate(model, theta[None], problem.held_out)
    hidden = bool(model.hidden)
    plain = hidden and model.activation == "relu" and not model.batch_norm
    classifies = hidden and model.loss == "cross_entropy"
    curve = np.zeros(0)
    if classifies:
        curve = ablation_curve(model, theta, rows, generator(seed, "ablation"))
    nan = float("nan")
    of_rescaled = sharpness(loss_and_gradient, rescaled(model, theta, RESCALING)[trained]) if plain else nan
    size = min(config.batch_size, len(rows))
    return Probes(
        train_loss=float(train_loss),
        test_loss=float(test_loss),
        train_score=float(train_score),
        test_score=float(test_score),
        sharpness=sharpness(loss_and_gradient, theta[trained]),
        rescaled_sharpness=of_rescaled,
        # A single row has no statistics of its own.
        gradient_variance=nan if model.batch_norm else float(gradient_variance(model, theta, rows, [size])[0]),
        area_under_ablation=area_under(curve) if classifies else nan,
        selectivity=float(selectivity(model, theta, rows).mean()) if classifies and model.activation == "relu" else nan,
        ablation=curve,
    )
