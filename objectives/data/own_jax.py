"""`from_jax`: a network of the user's own, as functions for JAX, as a task."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cooldown.objectives.data.checks import check_name, check_uninformed_loss
from cooldown.objectives.data.own_network import NetworkTask, kind_of, labels_of, measure_of
from cooldown.objectives.frameworks.installed import needed
from cooldown.objectives.frameworks.pairs import pairs_of
from cooldown.objectives.frameworks.scoring import Scoring
from cooldown.objectives.problem import Parameters

if TYPE_CHECKING:
    from cooldown.objectives.frameworks.jax import JaxModel

CALL = "from_jax"


@dataclass(frozen=True, eq=False)
class JaxTask(NetworkTask):
    """A task from functions for JAX; `tasks.from_jax` creates it. stateful: whether these have a state."""

    model: "JaxModel"

    stateful: bool = False

    def parameters_of(self, theta: Parameters) -> Any:
        """The parameters with the values `theta` (size,) of a trained replicate, as `apply` takes them; for a network
        with a state the pair of parameters and state.
        """
        parameters, state = self.model.both_of(theta)
        return (parameters, state) if self.stateful else parameters

    taken_home = parameters_of


def from_jax(
    init: Any,
    apply: Any,
    X: Any,
    y: Any,
    *,
    validation: Any = None,
    test: Any = None,
    loss: Any = None,
    metrics: Any = None,
    kind: Any = None,
    stateful: bool = False,
    devices: int = 1,
    name: str = "jax",
    uninformed_loss: float | None = None,
) -> JaxTask:
    """A task from a network of your own, as functions for JAX.

    init: key → the parameters, a pytree of floating-point arrays, drawn with each replicate's seed.
    apply: parameters, X (B, …) → outputs (B, …). With a third argument it also gets the key of what a training step
        draws, as for dropout, and None in an evaluation.
        With `stateful=True`, `init` returns a pair of parameters and a state, a pytree of numbers such as running
        statistics, and `apply`: parameters, state, X, key → outputs, new state. A replicate keeps the new state of a
        training step; in an evaluation the key is None, and the new state is ignored.
    X, y: n rows, (n, …) each. y: classes 0…K−1, labels, or numbers to predict.
    validation, test: pairs (X, y) of your own instead of drawn rows.
    loss: outputs, y → the mean of the rows' losses. By default cross-entropy of logits (B, K, …) for classes, and the
        mean squared error for numbers.
    metrics: the score: the name of a scorer of scikit-learn, or a function of outputs and targets, as arrays of numpy,
        whose higher values are better; by default accuracy, or R².
    kind: "classification" or "regression"; if None, numbers in floating point are a regression, all else are classes.
    devices: how many of JAX's devices share the rows of each batch.
    uninformed_loss: the baseline loss; by default that of the classes' frequencies or the mean target.

    Replicates train together in one compiled program for each size of a batch, which all jobs of a process share.
    Raises InputError for functions or rows that cannot be used, and if JAX is not installed.
    """
    with needed("jax", f"tasks.{CALL}"):
        from cooldown.objectives.frameworks.jax_building import check_outputs, functions_of, model_of
    check_name(CALL, name)
    uninformed = check_uninformed_loss(CALL, uninformed_loss)
    parts = pairs_of({"X, y": (X, y), "validation": validation, "test": test}, CALL)
    inputs, targets = (np.concatenate(each) for each in zip(*parts.values(), strict=True))
    task_kind = kind_of(targets, kind)
    labels = labels_of(CALL, targets, task_kind, not {"validation", "test"} <= parts.keys(), "test" not in parts)
    measure, metric, measure_name = measure_of(metrics, task_kind, targets, CALL)
    network = functions_of(init, apply, loss, stateful, task_kind)
    model = model_of(network, inputs, targets, Scoring(task_kind, measure), metric, devices)
    if loss is None:
        check_outputs(model)
    counts = {f"n_{key}": len(parts[key][1]) for key in ("validation", "test") if key in parts}
    return JaxTask(
        name, task_kind, model, len(targets), labels, uninformed, measure=measure_name, stateful=stateful, **counts
    )
