"""A comparison over tasks as one JSON document: `cooldown summary --json`."""

from collections.abc import Mapping, Sequence
from typing import Any

from cooldown.search.evidence.across.comparison import Comparison
from cooldown.search.evidence.across.measured import LeftOut, Measured
from cooldown.search.evidence.across.question import OnTask
from cooldown.search.evidence.across.ranking import Ranking
from cooldown.search.statistics.friedman import alike
from cooldown.search.statistics.pooling import Pooled
from cooldown.search.statistics.verdict import Verdict


def document(comparison: Comparison) -> dict[str, Any]:
    """The document of `summary --json`."""
    across = comparison.across
    pooled, effects = across.pooled, across.effects
    return {
        "answer": {"question": across.question, "word": across.word, "sentence": across.sentence},
        "sides": list(across.sides),
        "tasks": [_on_task(each) for each in across.tasks],
        "pooled": None if pooled is None or effects is None else _pooled(pooled, effects),
        "ranks": _ranks(comparison.ranking),
        "left_out": [_left_out(each) for each in comparison.left_out],
    }


def sent(found: Sequence[Measured | LeftOut]) -> dict[str, Any]:
    """What a service sends of its experiments, for a comparison that its caller makes; `received` reads it."""
    return {
        "experiments": [each.to_json() for each in found if isinstance(each, Measured)],
        "left_out": [_left_out(each) for each in found if isinstance(each, LeftOut)],
    }


def received(document: Mapping[str, Any]) -> list[Measured | LeftOut]:
    """What `sent` wrote."""
    left_out = [LeftOut(each["experiment"], each["why"]) for each in document["left_out"]]
    return [*map(Measured.from_json, document["experiments"]), *left_out]


def _left_out(each: LeftOut) -> dict[str, str]:
    return {"experiment": each.experiment, "why": each.why}


def _pooled(pooled: Verdict, effects: Pooled) -> dict[str, Any]:
    """tau: the standard deviation of the ratio's logarithm between tasks."""
    names = ("verdict", "ratio", "low", "high", "probability_a_better", "wins")
    between = {"tasks": pooled.repeats, "tau": effects.tau, "i_squared": effects.inconsistency}
    return {name: getattr(pooled, name) for name in names} | between


def _on_task(each: OnTask) -> dict[str, Any]:
    verdict = each.verdict
    names = ("a", "b", "ratio", "low", "high", "level", "wins", "repeats", "probability_a_better")
    of = {"task": each.of.task, "experiment": each.of.experiment, "kind": each.of.kind, "rows": each.of.rows}
    alarms = None if each.alarms is None else [{"kind": kind, "arm": arm} for kind, arm in each.alarms]
    return of | {name: getattr(verdict, name) for name in names} | {"alarms": alarms}


def _ranks(ranking: Ranking) -> dict[str, Any] | None:
    found = ranking.ranked
    if found is None:
        return None
    ordered = sorted(zip(found.means.tolist(), ranking.arms, strict=True))
    return {
        "tasks": [each.task for each in ranking.tasks],
        "mean_ranks": {arm: mean for mean, arm in ordered},
        "p_value": found.p_value,
        "critical_difference": found.critical_difference,
        "not_told_apart": [
            [arm for _, arm in ordered[first : last + 1]]
            for first, last in alike(found.means, found.critical_difference)
        ],
    }
