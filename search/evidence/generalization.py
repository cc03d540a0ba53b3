"""How the winners generalize: their networks, trained again as for the evaluation, under the probes of
`objectives/probes`.

The ledger holds losses and no networks. Each repeat's winner is trained once more with the first seed of its
evaluation, on the same rows: the network is the one that was measured there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.probes import Probes, probed
from cooldown.objectives.probes.probed import RESCALING
from cooldown.objectives.problem import Problem
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.view import View, once
from cooldown.search.statistics.finite import finite
from cooldown.search.tuning.splits import Splits, recorded_task
from cooldown.storage import Purpose


@dataclass(frozen=True)
class Generalization:
    """An arm's winners under the probes. repeats: by repeat, None where the network diverged."""

    arm: str
    repeats: dict[int, Probes | None]

    @property
    def known(self) -> list[Probes]:
        """Those of the networks that did not diverge."""
        return [probes for probes in self.repeats.values() if probes is not None]

    def mean(self, name: str) -> float:
        """The mean of one number over the repeats; NaN where it does not apply."""
        return float(np.mean([getattr(probes, name) for probes in self.known])) if self.known else float("nan")

    @property
    def ablation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Shares of clamped units (n,) and mean accuracies (n,) over the repeats; empty without such a curve."""
        curves = [probes.ablation for probes in self.known if probes.ablation.size]
        if not curves:
            return np.zeros(0), np.zeros(0)
        return np.linspace(0, 1, len(curves[0])), np.mean(curves, axis=0)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready: the arm's means, and each repeat."""
        means = {name: finite(self.mean(name)) for name in MEASURED}
        repeats = [
            {"repeat": repeat, **({} if probes is None else probes.to_json())}
            for repeat, probes in self.repeats.items()
        ]
        return {"arm": self.arm, **means, "repeats": repeats}


COLUMNS = (
    ("train_loss", Column("Train loss", Form.LOSS)),
    ("test_loss", Column("Test loss", Form.LOSS)),
    ("gap", Column("Gap", Form.DIFFERENCE, about="Gap: test − training loss.")),
    (
        "sharpness",
        Column("Sharpness", Form.READING, about="Sharpness: Keskar's, of the training loss."),
    ),
    (
        "rescaled_sharpness",
        Column(
            "Rescaled",
            Form.READING,
            about=f"Rescaled: that of the same function with its first two layers rescaled by {RESCALING:g} (Dinh).",
        ),
    ),
    (
        "gradient_variance",
        Column("Gradient var.", Form.READING, wide=True, about="Gradient var.: of a mini-batch's gradient."),
    ),
    (
        "area_under_ablation",
        Column(
            "Ablation",
            Form.RATIO,
            about="Ablation: area under training accuracy while units are clamped to 0 (Morcos).",
        ),
    ),
    ("selectivity", Column("Selectivity", Form.RATIO, wide=True, about="Selectivity: mean over the hidden units.")),
)
MEASURED = tuple(name for name, _ in COLUMNS)


@once
def generalization(view: View) -> list[Generalization]:
    """Every arm that has an evaluation, in the order of the arms.

    Raises InputError if the task cannot be loaded, or trains a model of the user's own.
    """
    by_arm: dict[str, dict[int, Probes | None]] = {}
    for winner in evaluated_winners(view):
        by_arm.setdefault(winner.arm, {})[winner.repeat] = probed(winner.problem, winner.config, winner.seed)
    return [Generalization(arm, repeats) for arm, repeats in by_arm.items()]


class Winner(NamedTuple):
    """What it takes to train the network of a repeat's winner again: `seed` is the first of its evaluation."""

    arm: str
    repeat: int
    problem: Problem
    config: TrainConfig
    seed: int


def evaluated_winners(view: View) -> Iterator[Winner]:
    """The winners that have an evaluation; raises InputError as `generalization` does."""
    evaluated = [
        (arm, study) for arm in view.arms for study in view.searches(arm) if study.winner and study.evaluations
    ]
    if not evaluated:
        return
    splits = Splits(recorded_task(view.record, view.spec), view.spec)
    for arm, study in evaluated:
        assert study.winner is not None
        seed = study.evaluations[0].seed
        (problem,) = splits.problems_of(Purpose.EVALUATION, study.repeat, [seed])[:1]
        if not isinstance(problem.model, MLP):
            raise InputError(f"the probes are for Cooldown's own networks; task {view.spec.task!r} has another model")
        yield Winner(arm, study.repeat, problem, study.winner.config, seed)


def generalization_table(arms: Sequence[Generalization]) -> Table:
    """The means over repeats, arm by arm."""
    rows = [(found.arm, *(finite(found.mean(name)) for name in MEASURED)) for found in arms]
    caption = "The winners, trained again with one seed of their evaluation; means over repeats."
    return Table((ARM, *(column for _, column in COLUMNS)), rows, caption).without_empty_columns()


def generalization_document(view: View) -> list[dict[str, Any]]:
    """JSON-ready: every arm."""
    return [found.to_json() for found in generalization(view)]


def read_document(document: Sequence[Mapping[str, Any]]) -> list[Generalization]:
    """The arms of a `generalization_document`."""
    return [
        Generalization(
            arm["arm"],
            {each["repeat"]: Probes.from_json(each) if "ablation" in each else None for each in arm["repeats"]},
        )
        for arm in document
    ]
