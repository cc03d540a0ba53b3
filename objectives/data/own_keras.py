"""`from_keras`: a Keras model of the user's own as a task."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cooldown.objectives.data.checks import check_name, check_uninformed_loss
from cooldown.objectives.data.own_network import NetworkTask, kind_of, labels_of, measure_of
from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.installed import needed
from cooldown.objectives.frameworks.pairs import pairs_of
from cooldown.objectives.problem import Parameters

if TYPE_CHECKING:
    import keras

CALL = "from_keras"


class KerasTask(NetworkTask):
    """A task from a Keras model; `tasks.from_keras` creates it."""

    def model_of(self, theta: Parameters) -> "keras.Model":
        """A Keras model with the values `theta` (size,) of a trained replicate."""
        from cooldown.objectives.frameworks.keras_building import taken_home

        return taken_home(self.model, theta)

    taken_home = model_of


def from_keras(
    make_model: Any,
    X: Any,
    y: Any,
    *,
    validation: Any = None,
    test: Any = None,
    loss: Any = None,
    metrics: Any = None,
    kind: Any = None,
    name: str = "keras",
    uninformed_loss: float | None = None,
) -> KerasTask:
    """A task from a Keras model of your own, on Keras's back end PyTorch or JAX.

    make_model: a function without arguments that makes a new `keras.Model` with one input and one output; it need not
        be compiled. Its initial values are drawn with each replicate's seed. Rules and schedules are Cooldown's.
    X, y: n rows, (n, …) each. y: classes 0…K−1, labels, or numbers to predict.
    validation, test: pairs (X, y) of your own instead of drawn rows.
    loss: as `compile` takes it: the name of a loss of Keras, a loss, or a function of y_true and y_pred. By default
        cross-entropy for classes, of logits or of probabilities, whichever the untrained model's outputs are; and the
        mean squared error for numbers.
    metrics: the score: the name of a scorer of scikit-learn, or a function of y_true and y_pred whose higher values are
        better; by default accuracy, or R².
    kind: "classification" or "regression"; if None, numbers in floating point are a regression, all else are classes.
    uninformed_loss: the baseline loss; by default that of the classes' frequencies or the mean target.

    Raises InputError for a model or rows that cannot be used, for another back end, and if Keras is not installed.
    """
    with needed("keras", f"tasks.{CALL}"):
        try:
            from cooldown.objectives.frameworks.keras_building import model_of
        except ModuleNotFoundError as error:
            # Keras takes TensorFlow where nobody has chosen.
            if error.name != "tensorflow" and not str(error.name).startswith("tensorflow."):
                raise
            raise InputError(
                f"tasks.{CALL}: Keras's back end TensorFlow is not installed; models are trained on jax or torch: set "
                "the environment variable KERAS_BACKEND=jax before Keras is first imported"
            ) from None
    check_name(CALL, name)
    uninformed = check_uninformed_loss(CALL, uninformed_loss)
    parts = pairs_of({"X, y": (X, y), "validation": validation, "test": test}, CALL)
    inputs, targets = (np.concatenate(each) for each in zip(*parts.values(), strict=True))
    task_kind = kind_of(targets, kind)
    labels = labels_of(CALL, targets, task_kind, not {"validation", "test"} <= parts.keys(), "test" not in parts)
    measure, metric, measure_name = measure_of(metrics, task_kind, targets, CALL)
    model = model_of(make_model, inputs, targets, loss, task_kind, measure, metric)
    counts = {f"n_{key}": len(parts[key][1]) for key in ("validation", "test") if key in parts}
    return KerasTask(name, task_kind, model, len(targets), labels, uninformed, measure=measure_name, **counts)
