"""Sensitivity, from an experiment's record: how much it matters how well each hyperparameter of an arm is set.

Three answers per hyperparameter: how wide the region is in which a study came within 10 % of its best, how the loss
changes over the range, and the hyperparameter's share of importance by PED-ANOVA. Only the search's own trials
count, and of those none that was pruned: its loss is not that of a whole run.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.hyperparameters import Scale
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.space import Parameter, Space
from cooldown.search.statistics.finite import finite
from cooldown.search.statistics.importance import (
    Cells,
    best_share,
    cells_of_choices,
    cells_of_numbers,
    pearson_importance,
)
from cooldown.search.statistics.sensitivity import mean_width, profile, region, relative_losses, relative_ranks
from cooldown.storage import StudyRecord, TrialRecord

DECADES, SHARE = "decades", "share of range"
"""The units of a width: on log scales, where β counts as 1 − β, and on linear ones."""

BINS = 10
"""Of a range, for the loss as a function of a hyperparameter."""

FEWEST_TRIALS = 10
"""Below this many trials an importance would be chance."""

TARGET_SHARE, TARGET_TRIALS = 0.1, 5
"""What PED-ANOVA takes for good: the best tenth of the trials, but at least the five that Optuna advises."""


@dataclass(frozen=True)
class Bin:
    """A tenth of a hyperparameter's range, on the scale it is searched on.

    low, value, high: its ends and its middle, in natural units. ratio: the lowest ratio of a loss to its study's best
    in it, the median over the repeats with trials there; inf where the best is 0, None without trials. trials, repeats:
    how many have been there.
    """

    value: float
    low: float
    high: float
    ratio: float | None
    trials: int
    repeats: int


@dataclass(frozen=True)
class Sensitivity:
    """How much one hyperparameter of one arm matters. Of a categorical choice there is the importance alone.

    key: as Optuna's parameter is called; "optimizer" and "schedule" are a joint arm's choices. unit: "decades" or
    "share of range", None for a choice. width: of the region within 10 % of a study's best, the mean over the repeats;
    a lower bound, as only trials show it. low, high: its 95 % t interval as far as it lies between 0 and the whole
    range; None with fewer than two repeats. range_width: of the whole range, in the same unit. repeats: those behind
    the mean: in a joint arm, where the hyperparameter belongs to what was about as good as the best; for a choice, all
    with trials. best_low, best_high: the ends of the region in natural units, each the median over the repeats, taken
    on the search's scale. importance: from 0 to 1, summing to 1 over the arm; None where there are too few trials,
    none with this hyperparameter, or nothing to tell them apart. profile: the loss over the range.
    """

    arm: str
    key: str
    unit: str | None
    width: float | None
    low: float | None
    high: float | None
    range_width: float | None
    repeats: int
    best_low: float | None
    best_high: float | None
    importance: float | None
    profile: tuple[Bin, ...]


@dataclass(frozen=True)
class _Trials:
    """The trials of one repeat that count, and their losses (n,)."""

    repeat: int
    trials: Sequence[TrialRecord]

    @property
    def losses(self) -> NDArray[np.float64]:
        return np.array([trial.validation_loss for trial in self.trials])

    def positions(self, parameter: Parameter) -> NDArray[np.float64]:
        """(n,) 0 to 1, NaN for a trial without the parameter."""
        given = [trial.parameters.get(parameter.key) for trial in self.trials]
        return np.array([np.nan if value is None else parameter.position(value) for value in given])


@once
def sensitivities(view: View) -> list[Sensitivity]:
    """Of every hyperparameter that was searched, in the order of the arms; nothing for an arm without trials, or where
    all runs of the experiment diverged: then no value was better than another.
    """
    measured = []
    for arm in view.parsed_arms.values():
        studies = _counted(view.searches(arm.name))
        if not studies:
            continue
        searched = view.space(arm.name)
        importance = importances(
            searched,
            [trial.parameters for study in studies for trial in study.trials],
            np.concatenate([relative_ranks(study.losses) for study in studies]),
        )
        choices = {"optimizer": arm.optimizers, "schedule": arm.schedules}
        joint = {key: None for key, names in choices.items() if len(names) > 1}
        for key, parameter in {**joint, **searched.by_key}.items():
            share = importance.get(key)
            if isinstance(parameter, Parameter):
                measured.append(_numeric(arm.name, parameter, studies, share))
            else:
                measured.append(
                    Sensitivity(arm.name, key, None, None, None, None, None, len(studies), None, None, share, ())
                )
    return measured


def importances(
    searched: Space, parameters: Sequence[Mapping[str, Any]], ranks: NDArray[np.float64]
) -> dict[str, float]:
    """The share of each hyperparameter in what tells an arm's good trials from all of them; the shares sum to 1.

    Good is the best tenth, and at least five trials, on the scale that the sampler sees. What only some trials have,
    as in a joint arm, counts as far as it is theirs. parameters: (n,) what each trial chose, in natural units. ranks:
    (n,) `relative_ranks` of its study. Empty for fewer than ten trials and where nothing tells them apart.
    Source: PED-ANOVA, Watanabe, Bansal & Hutter 2023, in Optuna's version for conditional spaces.
    """
    if len(parameters) < FEWEST_TRIALS:
        return {}
    good = best_share(ranks, max(TARGET_SHARE, TARGET_TRIALS / len(parameters)))
    shares = {
        name: pearson_importance(_cells(searched, name, [chosen.get(name) for chosen in parameters]), good)
        for name in dict.fromkeys(name for chosen in parameters for name in chosen)
    }
    whole = math.fsum(shares.values())
    return {name: share / whole for name, share in shares.items()} if whole > 0 else {}


def _cells(searched: Space, name: str, values: Sequence[Any]) -> Cells:
    """Where the trials' values of one hyperparameter, or of a joint arm's choice, lie; None for a trial without it."""
    parameter = searched.by_key.get(name)
    if parameter is None:
        return cells_of_choices(values, searched.arm.optimizers if name == "optimizer" else searched.arm.schedules)
    if not isinstance(parameter, Parameter):
        return cells_of_choices(values, parameter.choices)
    sampled = np.array([np.nan if value is None else parameter.sampled(value) for value in values], np.float64)
    low, high = sorted(map(parameter.sampled, (parameter.low, parameter.high)))
    declared = parameter.hyperparameter
    return cells_of_numbers(sampled, low, high, log=declared.scale is not Scale.LINEAR, integer=declared.integer)


def sensitivity_document(view: View) -> list[dict[str, Any]]:
    """`sensitivities` for `cooldown show --json`; numbers that JSON has none for are None."""
    return [
        _json(asdict(sensitivity)) | {"profile": [_json(asdict(tenth)) for tenth in sensitivity.profile]}
        for sensitivity in sensitivities(view)
    ]


def _numeric(arm: str, parameter: Parameter, studies: Sequence[_Trials], importance: float | None) -> Sensitivity:
    positions = [study.positions(parameter) for study in studies]
    regions = np.array([region(at, study.losses) for at, study in zip(positions, studies, strict=True)])
    unit, range_width = _width(parameter)
    mean = mean_width((regions[:, 1] - regions[:, 0]) * range_width)
    ends = np.median(regions[~np.isnan(regions[:, 0])], axis=0).tolist() if mean.repeats else [None, None]
    best_low, best_high = (None if end is None else parameter.at(end) for end in ends)
    shape = profile(
        np.concatenate(positions),
        np.concatenate([relative_losses(study.losses) for study in studies]),
        np.concatenate([np.full(len(study.trials), study.repeat) for study in studies]),
        BINS,
    )
    return Sensitivity(
        arm=arm,
        key=parameter.key,
        unit=unit,
        width=mean.mean,
        low=mean.low,
        high=None if mean.high is None else min(mean.high, range_width),
        range_width=range_width,
        repeats=mean.repeats,
        best_low=best_low,
        best_high=best_high,
        importance=importance,
        profile=tuple(
            Bin(
                value=parameter.at((low + high) / 2),
                low=parameter.at(low),
                high=parameter.at(high),
                ratio=ratio if trials else None,
                trials=trials,
                repeats=repeats,
            )
            for low, high, ratio, trials, repeats in zip(
                shape.edges[:-1].tolist(),
                shape.edges[1:].tolist(),
                shape.ratio.tolist(),
                shape.trials.tolist(),
                shape.repeats.tolist(),
                strict=True,
            )
        ),
    )


def _width(parameter: Parameter) -> tuple[str, float]:
    """The unit of widths on a parameter's scale, and the width of its range in it: 0 for a range of one value."""
    low, high = parameter.low, parameter.high
    match parameter.hyperparameter.scale:
        case Scale.LOG:
            return DECADES, math.log10(high / low)
        case Scale.ONE_MINUS_LOG:
            return DECADES, math.log10((1 - low) / (1 - high))
    return SHARE, float(high > low)


def _counted(studies: Sequence[StudyRecord]) -> list[_Trials]:
    """The trials that count, of the studies that have some."""
    kept = [_Trials(study.repeat, [trial for trial in study.trials if not trial.pruned]) for study in studies]
    return [study for study in kept if study.trials]


def _json(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: finite(value) if isinstance(value, float) else value for name, value in fields.items()}
