"""What an experiment costs, in gradient evaluations, before it has run."""

from dataclasses import dataclass

from cooldown.objectives.cost import passes
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Purpose


@dataclass(frozen=True)
class ArmCost:
    """Gradient evaluations of one arm, if no run ends before its last epoch. default: those of its default config."""

    arm: str
    search: int
    evaluation: int
    default: int

    @property
    def total(self) -> int:
        """Gradient evaluations of search, evaluation and default config together."""
        return self.search + self.evaluation + self.default


def arm_cost(arm: Arm, spec: Experiment, splits: Splits) -> ArmCost:
    """The cost of one arm in all repeats of the spec."""
    # An upper bound: a search that may choose a curriculum, or a second gradient, could choose it in every trial.
    space = search_space(spec, arm, splits.updates_per_epoch(arm))
    most = max(passes(config, space.epochs) for config in space.programs())
    rows = {purpose: splits.rows(purpose) * most * spec.repeats for purpose in Purpose}
    finalists = min(spec.finalists, spec.trials) * spec.finalist_seeds
    search = rows[Purpose.SEARCH] * spec.trials * spec.seeds + rows[Purpose.FINALIST] * finalists
    evaluation = rows[Purpose.EVALUATION] * spec.confirm_seeds
    default = rows[Purpose.SEARCH] * spec.seeds + evaluation if arm.is_single else 0
    return ArmCost(arm.name, search, evaluation, default)
