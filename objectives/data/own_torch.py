"""`from_torch`: a PyTorch module of the user's own as a task."""

from typing import TYPE_CHECKING, Any

from cooldown.objectives.data.checks import check_name, check_uninformed_loss
from cooldown.objectives.data.own_network import NetworkTask, kind_of, labels_of, measure_of
from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.installed import needed
from cooldown.objectives.frameworks.scoring import Scoring
from cooldown.objectives.problem import Parameters

if TYPE_CHECKING:
    import torch

    from cooldown.objectives.frameworks.torch import TorchModel

CALL = "from_torch"


class TorchTask(NetworkTask):
    """A task from a PyTorch module; `tasks.from_torch` creates it."""

    model: "TorchModel"

    def module_of(self, theta: Parameters) -> "torch.nn.Module":
        """The module with the values `theta` (size,) of a trained replicate, in evaluation mode, on the CPU."""
        return self.model.module_of(theta)

    taken_home = module_of


def from_torch(
    module: Any,
    X: Any = None,
    y: Any = None,
    *,
    train: Any = None,
    validation: Any = None,
    test: Any = None,
    loss: Any = None,
    metrics: Any = None,
    kind: Any = None,
    device: Any = "auto",
    name: str = "torch",
    uninformed_loss: float | None = None,
) -> TorchTask:
    """A task from a PyTorch module of your own.

    module: a class or function without arguments that makes a new `nn.Module`; its initial values are its own code's,
        drawn with each replicate's seed. Rules and schedules are Cooldown's, on the module's parameters.
    X, y: n rows as arrays or tensors, (n, …) each. X goes to the module as it is: floating-point numbers in the run's
        precision, whole numbers (for embeddings) as such. y: classes 0…K−1, labels, or numbers to predict.
    train: the same as a data set or a loader of `torch.utils.data` instead of X and y. A data set with an index is read
        item by item with its transforms, which draw from the replicate's stream; of its loader only `collate_fn` is
        used, because sizes and order of batches are the config's. A loader without an index is read once.
    validation, test: rows of your own in one of these forms, or as a pair (X, y), instead of drawn ones.
    loss: outputs, targets → the mean loss of a batch. By default cross-entropy of logits (n, K, …) for classes, and the
        mean squared error for numbers.
    metrics: the score: the name of a scorer of scikit-learn, or a function of outputs and targets whose higher values
        are better; by default accuracy, or R².
    kind: "classification" or "regression"; if None, numbers in floating point are a regression, all else are classes.
    device: "auto" is a GPU if there is one; or a device of torch.
    uninformed_loss: the baseline loss; by default that of the classes' frequencies or the mean target under `loss`, and
        where it cannot be computed, the mean held-out loss at ten initializations.

    Raises InputError for a module or rows that cannot be used, and if torch is not installed.
    """
    with needed("torch", f"tasks.{CALL}"):
        from cooldown.objectives.frameworks.torch_building import check_module, model_of, parts_of, rows_and_targets
    check_name(CALL, name)
    uninformed = check_uninformed_loss(CALL, uninformed_loss)
    check_module(module, loss)
    if (train is None) == (X is None) or (X is None) != (y is None):
        raise InputError(f"{CALL}: give X and y, or train")
    own = {"train": (X, y) if train is None else train, "validation": validation, "test": test}
    parts = parts_of(own)
    rows, targets = rows_and_targets(parts)
    task_kind = kind_of(targets, kind)
    drawn, drawn_test = not {"validation", "test"} <= parts.keys(), "test" not in parts
    labels = labels_of(CALL, targets, task_kind, drawn, drawn_test)
    measure, metric, measure_name = measure_of(metrics, task_kind, targets, CALL)
    model = model_of(module, rows, targets, loss, Scoring(task_kind, measure), metric, device)
    counts = {f"n_{key}": len(part) for key, part in parts.items() if key != "train"}
    return TorchTask(name, task_kind, model, len(rows), labels, uninformed, measure=measure_name, **counts)
