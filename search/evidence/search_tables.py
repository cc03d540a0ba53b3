"""The tables of what the searches tried and found, each a value that terminal, report and dashboard set alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from cooldown.search.evidence.losses import means, test_losses, test_scores
from cooldown.search.evidence.numbers import Form, formatted, setting
from cooldown.search.evidence.pruning import pruned_arms, replayed_arms
from cooldown.search.evidence.sensitivity import DECADES, Sensitivity, sensitivities
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.trials import state
from cooldown.search.evidence.view import View
from cooldown.search.spec.arms import chooses
from cooldown.storage import StudyRecord, TrialRecord


def sensitivity_table(view: View) -> Table:
    """How much each hyperparameter of each arm matters."""
    return Table(
        (
            ARM,
            Column("Hyperparameter"),
            Column("Width"),
            Column("95 % interval", wide=True),
            Column("Of", wide=True),
            Column("Good values"),
            Column("Importance", Form.SHARE),
        ),
        [
            (
                sensitivity.arm,
                sensitivity.key if chooses(sensitivity.arm) else sensitivity.key.rpartition(".")[2],
                _width(sensitivity, sensitivity.width or None),
                _width_interval(sensitivity),
                _range_width(sensitivity),
                _good_values(sensitivity),
                sensitivity.importance,
            )
            for sensitivity in sensitivities(view)
        ],
        "Width: of the region in which a study came within 10 % of its best loss, in decades of a log scale (for a "
        "momentum or β, of 1 minus it) or as a share of a linear range. Importance: PED-ANOVA, 100 % per arm. "
        "Periods are in epochs, warm-ups in updates.",
    )


def _width(sensitivity: Sensitivity, value: float | None) -> str | None:
    # One good trial shows where the region is, and nothing of its width.
    if sensitivity.unit is None or value is None:
        return None
    return formatted(value, Form.WIDTH if sensitivity.unit == DECADES else Form.SHARE)


def _width_interval(sensitivity: Sensitivity) -> str | None:
    if not sensitivity.width or sensitivity.low is None or sensitivity.high is None:
        return None
    return f"[{_width(sensitivity, sensitivity.low)}, {_width(sensitivity, sensitivity.high)}]"


def _range_width(sensitivity: Sensitivity) -> str:
    if sensitivity.unit is None:
        return "a choice"
    return f"{sensitivity.range_width:.1f} decades" if sensitivity.unit == DECADES else "range"


def _good_values(sensitivity: Sensitivity) -> str | None:
    if sensitivity.best_low is None or sensitivity.best_high is None:
        return None
    return f"{_end(sensitivity.best_low)} … {_end(sensitivity.best_high)}"


def _end(value: float) -> str:
    """With as many digits as a β near 1 needs."""
    return formatted(value, Form.VALUE) if 0.99 < value < 1 else f"{value:.3g}"


def pruned_table(view: View) -> Table:
    """What the experiment's own pruner did."""
    return Table(
        (
            ARM,
            Column("Trials", Form.COUNT),
            Column("Pruned", Form.COUNT),
            Column("Search cost saved", Form.SHARE),
        ),
        [(arm, pruned.trials, pruned.pruned, pruned.share_saved) for arm, pruned in pruned_arms(view).items()],
        f"Trials that the {view.spec.pruner} pruner stopped. What they would have reached is unknown; a run with "
        "--pruner none would show it.",
    )


def replayed_table(view: View) -> Table:
    """What each pruner would have done to searches that were run without one."""
    return Table(
        (
            ARM,
            Column("Pruner"),
            Column("Pruned"),
            Column("Saved", Form.SHARE),
            Column("Winners pruned"),
            Column("Change of loss", Form.DIFFERENCE),
        ),
        [
            (
                arm,
                pruner,
                f"{run.pruned} of {run.trials}",
                run.share_saved,
                f"{run.winners_pruned} of {run.repeats}",
                run.loss_difference,
            )
            for (arm, pruner), run in replayed_arms(view).items()
        ],
        "What --pruner would have done to these searches: trials stopped, share of gradient evaluations saved, winners "
        "among the stopped trials, and the change of the winners' mean validation loss.",
    )


def winners_table(view: View) -> Table:
    """The winner of every study, arm by arm; what is not known yet is None."""
    losses, scores = (
        {arm: means(per_repeat) for arm, per_repeat in read(view).items()} for read in (test_losses, test_scores)
    )
    return Table(
        (
            ARM,
            Column("Repeat", Form.COUNT),
            Column("Trial", Form.COUNT),
            Column("Validation loss", Form.LOSS),
            Column("Finalist loss", Form.LOSS),
            Column("Test loss", Form.LOSS),
            Column("Test score", Form.SCORE),
            Column("Hyperparameters"),
        ),
        [
            (
                arm,
                study.repeat,
                study.winner.number,
                study.winner.validation_loss,
                study.winner.finalist_loss,
                losses[arm].get(study.repeat),
                scores[arm].get(study.repeat),
                parameters_in_words(arm, study.winner.parameters),
            )
            for arm in view.arms
            for study in view.searches(arm)
            if study.winner
        ],
        "The winner of every study, arm by arm.",
    )


def parameters_in_words(arm: str, parameters: Mapping[str, Any]) -> str:
    """What a trial chose, in one line; in an arm that chooses among several, with whose hyperparameter it is."""
    return ", ".join(
        f"{key if chooses(arm) else key.rpartition('.')[2]}\u00a0{setting(value)}" for key, value in parameters.items()
    )


def trials_table(studies: Sequence[StudyRecord], states: Sequence[str] | None = None) -> Table:
    """Every trial of one arm's studies with its state, losses and hyperparameters.

    states: in place of what `state` says of each trial, in order.
    """
    trials = [(study, trial) for study in studies for trial in study.trials]
    keys = list(dict.fromkeys(key for _, trial in trials for key in trial.parameters))
    return Table(
        (
            Column("Repeat", Form.COUNT),
            Column("Trial", Form.COUNT),
            Column("State"),
            Column("Validation loss", Form.LOSS),
            Column("Finalist loss", Form.LOSS),
            *(Column(key) if _is_choice(trials, key) else Column(key, Form.VALUE) for key in keys),
        ),
        [
            (
                study.repeat,
                trial.number,
                states[place] if states else state(study, trial),
                trial.validation_loss,
                trial.finalist_loss,
                *(trial.parameters.get(key) for key in keys),
            )
            for place, (study, trial) in enumerate(trials)
        ],
    )


def _is_choice(trials: Sequence[tuple[StudyRecord, TrialRecord]], key: str) -> bool:
    return any(isinstance(trial.parameters.get(key), str | bool) for _, trial in trials)
