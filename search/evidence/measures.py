"""What the losses and scores of an experiment are called: the one place that decides these words."""

from collections.abc import Mapping
from typing import Any, Literal

from cooldown.objectives import tasks
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.spec.experiment import AIMS, Experiment


def loss_name(spec: Experiment) -> str:
    """What the loss of held-out rows is: `loss`, or an objective as a loss, `1 − roc_auc` or `mae`."""
    return spec.aim.loss_name


def score_name(spec: Experiment) -> str | None:
    """The name of the score; None for a task that only its data tell."""
    if spec.aim.score_name is not None:
        return spec.aim.score_name
    if spec.aim.target_transform is not None:
        return "R² of the log"
    if spec.kind is not None:
        return "accuracy" if spec.kind == "classification" else "R²"
    return tasks.get(spec.task).score_name if tasks.origin(spec.task) == "built-in" else None


def best_score(spec: Experiment) -> Literal["lowest", "highest"]:
    """Which score is best: the lowest of an error."""
    return "lowest" if spec.aim.score is not None and spec.aim.score.is_error else "highest"


def score_in_words(spec: Experiment, score: float) -> str:
    """A test score as a reader knows it: `98.6 % accuracy`, `R² 0.490`; of a task that only its data tell, `score`."""
    name = score_name(spec) or "score"
    return f"{100 * score:.1f} % accuracy" if name == "accuracy" else f"{name} {formatted(score, Form.SCORE)}"


def score_caption(spec: Experiment) -> str:
    """What a caption says of losses and scores."""
    loss = "" if loss_name(spec) == "loss" else f"Loss: {loss_name(spec).removeprefix('loss ')}. "
    return f"{loss}Score: {score_name(spec) or 'accuracy, or R²'}."


def loss_sentences(spec: Experiment) -> str:
    """What the losses and weights of an experiment are, in full sentences; "" for a task's own."""
    aim, told = spec.aim, []
    if aim.loss is not None:
        as_loss = "" if aim.loss.is_error else f", as the loss {aim.loss_name}"
        told.append(
            f"Networks are trained by the task's own loss, and measured on held-out rows by {aim.loss.name}"
            f"{as_loss}; “loss” means the latter."
        )
    if aim.target_transform is not None:
        units = " Metrics and objectives are measured in the target's own units." if aim.score is not None else ""
        told.append(f"Networks are trained on the logarithm of the target; the training loss is on this scale.{units}")
    if aim.class_weight is not None:
        how = (
            "inversely proportional to their frequencies"
            if aim.class_weight == "balanced"
            else ", ".join(f"{label}: {weight:g}" for label, weight in aim.class_weight)
        )
        told.append(f"Classes have weights in training ({how}), but not in what is measured.")
    if spec.sample_weight is not None:
        told.append(f"Rows have the weights in column {spec.sample_weight}, in training and in what is measured.")
    return " ".join(told)


def options(spec: Mapping[str, Any]) -> list[str]:
    """The options of `cooldown compare` that set what a spec's JSON says of this; class by class only a file can."""
    # Joined with "=", because a column may be named like an option.
    return [f"--{key.replace('_', '-')}={spec[key]}" for key in AIMS if isinstance(spec.get(key), str)]


def to_json(spec: Experiment) -> dict[str, str | None]:
    """The measures in `show --json`."""
    return {
        "objective": spec.aim.objective or "loss",
        "loss": loss_name(spec),
        "score": score_name(spec),
        "best_score": best_score(spec),
    }
